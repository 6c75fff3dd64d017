#include "server/serve.h"

#include <fmt/core.h>
#include <signal.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <memory>
#include <optional>
#include <thread>

#include "adapters/asio/http_server.h"
#include "adapters/curl/curl_client.h"
#include "adapters/files/file_blobs.h"
#include "adapters/files/pin_files.h"
#include "adapters/files/snapshot_files.h"
#include "adapters/sandbox/sandbox_runner.h"
#include "adapters/sqlite/sqlite_store.h"
#include "adapters/system/disk_space.h"
#include "adapters/system/process_figures.h"
#include "adapters/system/system_clock.h"
#include "adapters/system/timer_thread.h"
#include "api/api.h"
#include "base/log.h"
#include "cli/exit_status.h"
#include "runtime/engine_thread.h"
#include "runtime/workers.h"
#include "server/address.h"
#include "server/credentials.h"
#include "server/descriptors.h"
#include "server/free_bytes.h"
#include "server/idle.h"
#include "server/telemetry.h"

namespace perdure::server {
namespace {

constexpr size_t kScrubRows = 256;
// Of the drain, for writing down what was not begun.
constexpr int64_t kLastCallsMs = 500;

// The server needs a handler when it is made, and the API needs the server's timers.
class LateHandler : public api::Handler {
 public:
  void set(api::Handler& handler) { handler_ = &handler; }
  tl::expected<size_t, api::Response> body_limit(const api::Request& head) override {
    return handler_->body_limit(head);
  }
  void handle(api::Request request, std::shared_ptr<api::Responder> responder) override {
    handler_->handle(std::move(request), std::move(responder));
  }

 private:
  api::Handler* handler_ = nullptr;
};

// Signals are for the main thread alone; it waits for them.
sigset_t block_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGINT);
  sigaddset(&signals, SIGTERM);
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  signal(SIGPIPE, SIG_IGN);
  signal(SIGXFSZ, SIG_IGN);  // a file that may not grow is a write that fails
  return signals;
}

void warn_if_in_clear(const Config& config) {
  if (config.address.starts_with("127.") || config.address == "::1") return;
  log(LogLevel::kWarn, "server.listens_in_clear",
      {{"address", config.address},
       {"why",
        "tokens pass unencrypted: let a proxy with TLS stand before it, or listen on "
        "127.0.0.1"}});
}

// A shell that cannot run as configured is told now, and not by an agent that cannot use it.
Status try_shells(const Config& config, ProcessRunner& processes) {
  for (const ShellToolConfig& tool : config.setup.shell_tools) {
    if (tool.unsafe_same_user) {
      log(LogLevel::kWarn, "tool.unsafe_same_user",
          {{"tool", tool.name},
           {"why", "its commands run without a sandbox and can read the server's token"}});
    }
    TRY_STATUS(try_shell(tool, config.secrets, config.setup.hidden, processes));
  }
  return {};
}

// Processes at once.
size_t count_children(const Config& config) {
  const auto& mcp = config.setup.mcp;
  const auto is_process = [](const McpServerConfig& server) { return !server.command.empty(); };
  return static_cast<size_t>(std::count_if(mcp.begin(), mcp.end(), is_process)) +
         (config.setup.shell_tools.empty() ? 0 : config.setup.shell_room.at_once);
}

void warn_of_unknown_prices(const std::vector<ModelConfig>& models) {
  for (const ModelConfig& model : models) {
    if (model.price.known || model.replay) continue;
    log(LogLevel::kWarn, "model.price_unknown",
        {{"model", model.name},
         {"why",
          "its calls count as 0 USD: give it a price_per_mtok, all 0 if it costs nothing, or name "
          "a file of prices"}});
  }
}

[[noreturn]] void end_process(const std::string& why) {
  log(LogLevel::kError, "server.ended", {{"why", "the store failed: " + why}});
  std::_Exit(cli::kStoreFailed);
}

// What cannot be counted is taken for open.
bool has_open_tasks(StoreReader& store, Clock& clock) {
  const auto counts = store.counts(clock.unix_ms());
  if (!counts) return true;
  return std::any_of(counts->tasks.begin(), counts->tasks.end(),
                     [](const auto& tasks) { return tasks.second > 0; });
}

// What lies in the data directory, and who may ask.
struct Opened {
  std::unique_ptr<SqliteStore> store;
  std::unique_ptr<FileBlobs> blobs;
  std::unique_ptr<PinFiles> pins;
  std::unique_ptr<SnapshotFiles> snapshots;  // null: none are used
  std::vector<api::Credential> credentials;
  std::vector<api::Key> keys;
};

// Tasks are the same without them.
std::unique_ptr<SnapshotFiles> open_snapshots(const std::string& dir) {
  auto opened = SnapshotFiles::open(dir);
  if (opened) return *std::move(opened);
  log(LogLevel::kWarn, "snapshots.off", {{"why", opened.error().message}});
  return nullptr;
}

Result<Opened> open(const Config& config, Rng& rng) {
  Opened out;
  SqliteOptions options;
  options.dir = config.data_dir;
  options.unsafe_no_sync = config.unsafe_no_sync;
  TRY_ASSIGN(out.store, SqliteStore::open(options));
  TRY_ASSIGN(out.blobs, FileBlobs::open(config.data_dir));
  if (config.snapshots) out.snapshots = open_snapshots(config.data_dir);
  TRY_ASSIGN(out.credentials, credentials_of(config, rng));
  TRY_ASSIGN(out.keys, api::load_keys(*out.store));
  TRY_STATUS(check_secrets(config.secrets, out.credentials, out.keys));
  out.pins = std::make_unique<PinFiles>(config.data_dir);
  return out;
}

// The parts of a server. Later ones refer to earlier ones, and end before them.
class Served {
 public:
  Served(Config config, SystemClock& clock, SystemRng& rng, Opened opened)
      : config_(std::move(config)), clock_(clock), rng_(rng), opened_(std::move(opened)) {}

  Status assemble(size_t descriptors) {
    const DescriptorShares shares = share_descriptors(descriptors, count_children(config_));
    config_.setup.hidden = std::move(config_.private_files);
    config_.setup.hidden.push_back(std::filesystem::absolute(config_.data_dir).string());
    const char* path = std::getenv("PATH");
    processes_ = std::make_unique<SandboxRunner>(path == nullptr ? kDefaultPath : path);
    TRY_STATUS(try_shells(config_, *processes_));
    CurlOptions calls;
    calls.max_open = shares.calls;
    client_ = std::make_unique<CurlClient>(clock_, std::move(calls));
    const size_t cores = std::max(2u, std::thread::hardware_concurrency());
    workers_ = std::make_unique<runtime::Workers>(cores);
    readers_ = std::make_unique<runtime::Workers>(cores, runtime::Workers::Priority::kLow);
    TRY_ASSIGN(runtime_,
               runtime::Runtime::make(
                   std::move(config_.setup),
                   {*opened_.store, *opened_.blobs, clock_, rng_, *client_,
                    [this](std::function<void()> work) { workers_->put(std::move(work)); },
                    config_.secrets, read_secret, end_process, processes_.get(), &timers_,
                    opened_.pins.get(), PERDURE_VERSION, free_bytes,
                    [this](std::function<void()> work) { readers_->put(std::move(work)); },
                    opened_.snapshots.get()}));
    TRY_ASSIGN(exporter_, make_exporter(config_.telemetry, runtime_->setup().models,
                                        config_.data_dir, *opened_.store, *client_, clock_));
    space_ = std::make_unique<DiskSpace>(config_.data_dir, config_.disk_reserve_mib << 20, clock_,
                                         free_bytes);
    assemble_http(shares.connections);
    assemble_api();
    return {};
  }

  // Until it is told to end; as `serve` returns.
  Result<bool> run(const sigset_t& signals) {
    // Nothing is sent before it is known where nothing may be sent to.
    TRY_STATUS(http_->start());
    const uint16_t port = http_->port();
    Status known = client_->forbid(config_.address, port);
    if (known) known = write_address(config_, port);
    if (!known) {
      http_->stop(0);
      return tl::unexpected(known.error());
    }
    runtime::EngineThread engine(runtime_->engine(), clock_);
    engine.start();
    if (exporter_) exporter_->start();
    scrub({});
    tell_of_start(port);

    const auto activity = [this] {
      const api::Api::Traffic traffic = api_->traffic();
      return Activity{traffic.requests, traffic.held};
    };
    const auto is_work_open = [this] { return has_open_tasks(*opened_.store, clock_); };
    const std::string why = wait_for_end(signals, config_.until_idle_ms, activity, is_work_open);
    log(LogLevel::kInfo, "server.draining", {{"why", why}});
    remove_running(config_);
    // What has not begun by then will not, and is not in doubt after the next start.
    const uint64_t last_begins =
        timers_.after(std::max<int64_t>(config_.drain_ms - kLastCallsMs, 0),
                      [this] { runtime_->stop_waiting(); });
    engine.stop(config_.drain_ms);
    timers_.cancel(last_begins);
    http_->stop(1'000);
    exporter_.reset();
    remove_address(config_);
    runtime_->close_tools();
    readers_->stop();  // these call back into the runtime and the API
    workers_->stop();
    client_.reset();
    processes_.reset();
    log(LogLevel::kInfo, "server.stopped");
    return why == kIdle && is_work_open();
  }

 private:
  void assemble_http(size_t connections) {
    HttpServerOptions options;
    options.address = config_.address;
    options.port = config_.port;
    options.max_body_bytes = api::ApiLimits{}.turn_body_bytes;
    options.max_connections = connections;
    options.max_strangers = std::max<size_t>(connections / 2, 1);
    http_ = std::make_unique<HttpServer>(options, handler_);
    planners_ = std::make_unique<api::RemotePlanners>(
        http_->timers(), api::RemotePlannersOptions{.lease_ms = config_.planner_lease_ms});
    for (const auto& [name, agent] : runtime_->setup().plain_agents) {
      if (agent.planner != kScriptPlanner) planners_->add(agent.planner);
    }
    runtime_->set_remote_planners(
        [this](const std::string& name) { return planners_->find(name); });
  }

  void assemble_api() {
    std::function<TraceFigures()> figures;
    if (exporter_) figures = [this] { return exporter_->figures(); };
    api_.emplace(api::ApiParts{
        .engine = runtime_->engine(),
        .reader = *opened_.store,
        .blobs = *opened_.blobs,
        .agents = runtime_->agents(),
        .tools = runtime_->tools(),
        .clock = clock_,
        .rng = rng_,
        .timers = http_->timers(),
        .planners = *planners_,
        .store_secret = opened_.store->secret(),
        .credentials = std::move(opened_.credentials),
        .keys = std::move(opened_.keys),
        .hosts = config_.hosts,
        .origins = config_.origins,
        .space = space_.get(),
        .process = process_figures,
        .version = PERDURE_VERSION,
        .traces = figures,
        .masker = config_.secrets.masker(),
        .apart = [this](std::function<void()> work) { readers_->put(std::move(work)); }});
    handler_.set(*api_);
    runtime_->engine().observe(&api_->observer());
    runtime_->set_on_delta(
        [this](const TaskId& task, const StepId& step, uint32_t attempt, std::string_view text) {
          api_->publish_delta(task, step, attempt, text);
        });
  }

  // Some rows at a time, once after each start: other work of these threads comes in between.
  void scrub(std::string cursor) {
    readers_->put([this, cursor = std::move(cursor)] {
      auto page = opened_.store->scrub(cursor, kScrubRows);
      if (!page) {
        log(LogLevel::kError, "scrub.failed", {{"why", page.error().message}});
        return;
      }
      for (DamagedRow& row : page->damaged) runtime_->engine().on_damaged_row(std::move(row));
      if (!page->next.empty()) scrub(std::move(page->next));
    });
  }

  void tell_of_start(uint16_t port) const {
    warn_if_in_clear(config_);
    warn_of_unknown_prices(runtime_->setup().models);
    log(LogLevel::kInfo, "server.started",
        {{"version", PERDURE_VERSION},
         {"address", shown_address(config_, port)},
         {"data_dir", config_.data_dir},
         {"models", std::to_string(runtime_->setup().models.size())}});
    fmt::print("listening on {}\n", shown_address(config_, port));
    std::fflush(stdout);
  }

  Config config_;
  SystemClock& clock_;
  SystemRng& rng_;
  Opened opened_;
  TimerThread timers_;
  std::unique_ptr<SandboxRunner> processes_;
  std::unique_ptr<CurlClient> client_;
  std::unique_ptr<runtime::Workers> workers_;  // plan, and write prompts
  std::unique_ptr<runtime::Workers> readers_;  // read: for clients, tasks from the store, all rows
  std::unique_ptr<runtime::Runtime> runtime_;
  std::unique_ptr<runtime::TraceExporter> exporter_;
  std::unique_ptr<DiskSpace> space_;
  LateHandler handler_;
  std::unique_ptr<HttpServer> http_;
  std::unique_ptr<api::RemotePlanners> planners_;
  std::optional<api::Api> api_;
};

}  // namespace

Result<bool> serve(Config config) {
  umask(077);  // what it writes is its owner's
  const sigset_t signals = block_signals();
  const size_t descriptors = raise_descriptor_limit();
  SystemClock clock;
  SystemRng rng;
  TRY_ASSIGN(Opened opened, open(config, rng));
  Served served(std::move(config), clock, rng, std::move(opened));
  TRY_STATUS(served.assemble(descriptors));
  return served.run(signals);
}

}  // namespace perdure::server
