#include "server/serve.h"

#include <fmt/core.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <map>

#include "adapters/asio/http_server.h"
#include "adapters/curl/curl_client.h"
#include "adapters/files/file_blobs.h"
#include "adapters/files/pin_files.h"
#include "adapters/sandbox/sandbox_runner.h"
#include "adapters/sqlite/sqlite_store.h"
#include "adapters/system/disk_space.h"
#include "adapters/system/process_figures.h"
#include "adapters/system/system_clock.h"
#include "adapters/system/timer_thread.h"
#include "api/api.h"
#include "base/log.h"
#include "runtime/engine_thread.h"
#include "runtime/workers.h"
#include "server/free_bytes.h"
#include "server/idle.h"
#include "server/private_file.h"
#include "server/telemetry.h"
#include "server/token_file.h"

namespace perdure::server {
namespace {

constexpr size_t kTokenMinBytes = 16;
constexpr const char* kDefaultPath = "/usr/local/bin:/usr/bin:/bin";
constexpr size_t kConnectionsMax = 20'000;
constexpr int kExitStoreFailed = 74;  // EX_IOERR of sysexits.h

// The server needs a handler when it is made, and the API needs the server's timers.
class LateHandler : public api::Handler {
 public:
  void set(api::Handler& handler) { handler_ = &handler; }
  void handle(api::Request request, std::shared_ptr<api::Responder> responder) override {
    handler_->handle(std::move(request), std::move(responder));
  }

 private:
  api::Handler* handler_ = nullptr;
};

Result<api::Scopes> scopes_of(const TokenConfig& token) {
  api::Scopes scopes = api::kNone;
  for (const std::string& name : token.scopes) {
    const api::Scopes scope = api::scope_of(name);
    if (scope == api::kNone) {
      return fail(Code::kInvalid, fmt::format("tokens.{}.scopes: '{}' is none of {}", token.name,
                                              name, api::all_scope_names()));
    }
    scopes |= scope;
  }
  return scopes;
}

// A token says who speaks: it is no word that can be guessed, and nobody else's.
Status check_token(const std::string& name, const std::string& value,
                   const std::vector<api::Credential>& others) {
  if (value.size() < kTokenMinBytes) {
    return fail(Code::kInvalid, fmt::format("tokens.{}: the token has {} bytes; {} random ones or "
                                            "more are needed",
                                            name, value.size(), kTokenMinBytes));
  }
  const Sha256 hash = sha256(value);
  const auto same = std::find_if(others.begin(), others.end(),
                                 [&](const auto& other) { return other.token_hash == hash; });
  if (same == others.end()) return {};
  return fail(Code::kInvalid,
              fmt::format("tokens.{}: '{}' has the same token", name, same->principal));
}

Result<std::vector<api::Credential>> credentials_of(const Config& config, Rng& rng) {
  TRY_ASSIGN(const std::string token, own_token(config.data_dir, rng));
  std::vector<api::Credential> credentials{
      {sha256(token), "operator", "default", api::kAnyScope, 0, true}};
  for (const TokenConfig& other : config.tokens) {
    TRY_ASSIGN(const std::string value, read_secret(other.source));
    TRY_ASSIGN(const api::Scopes scopes, scopes_of(other));
    TRY_STATUS(check_token(other.name, value, credentials));
    credentials.push_back({sha256(value), other.name, other.tenant, scopes, 0, false});
  }
  return credentials;
}

// What a tool may send is no credential that decides: a tool could answer the question about its
// own call, or make itself a key that can.
Status check_secrets(const Secrets& secrets, const std::vector<api::Credential>& credentials,
                     const std::vector<api::Key>& keys) {
  constexpr api::Scopes kDecides = api::kApprove | api::kAdmin;
  std::map<Sha256, std::string> deciding;
  for (const api::Credential& credential : credentials) {
    if ((credential.scopes & kDecides) != 0) deciding[credential.token_hash] = credential.principal;
  }
  for (const api::Key& key : keys) {
    const api::Credential& credential = *key.credential;
    if ((credential.scopes & kDecides) != 0) deciding[credential.token_hash] = credential.principal;
  }
  for (const auto& [name, value] : secrets.values()) {
    const auto found = deciding.find(sha256(value));
    if (found == deciding.end()) continue;
    return fail(Code::kForbidden,
                fmt::format("secrets.{}: is the token of '{}', which has the scope approve or "
                            "admin: a tool that can send it could approve its own calls",
                            name, found->second));
  }
  return {};
}

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

// Each connection, in and out, is a descriptor. What login shells allow is meant for programs that
// wait with select(), which this one does not.
size_t raise_descriptor_limit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0) return 1024;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (limit.rlim_cur != before && setrlimit(RLIMIT_NOFILE, &limit) != 0) {
    log(LogLevel::kWarn, "server.descriptors", {{"why", std::strerror(errno)}});
    return before;
  }
  return limit.rlim_cur;
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
  std::_Exit(kExitStoreFailed);
}

std::string shown_address(const Config& config, uint16_t port) {
  const bool v6 = config.address.find(':') != std::string::npos;
  return fmt::format("http://{}{}{}:{}", v6 ? "[" : "", config.address, v6 ? "]" : "", port);
}

// For the command line: where to ask. A server that listens everywhere is asked on this machine.
std::string own_address(const Config& config, uint16_t port) {
  if (config.address == "0.0.0.0") return fmt::format("http://127.0.0.1:{}", port);
  if (config.address == "::") return fmt::format("http://[::1]:{}", port);
  return shown_address(config, port);
}

// What cannot be counted is taken for open.
bool has_open_tasks(StoreReader& store, Clock& clock) {
  const auto counts = store.counts(clock.unix_ms());
  if (!counts) return true;
  return std::any_of(counts->tasks.begin(), counts->tasks.end(),
                     [](const auto& tasks) { return tasks.second > 0; });
}

}  // namespace

Result<bool> serve(Config config) {
  umask(077);  // what it writes is its owner's
  const sigset_t signals = block_signals();
  const size_t descriptors = raise_descriptor_limit();
  SqliteOptions store_options;
  store_options.dir = config.data_dir;
  store_options.unsafe_no_sync = config.unsafe_no_sync;
  TRY_ASSIGN(const auto store, SqliteStore::open(store_options));
  TRY_ASSIGN(const auto blobs, FileBlobs::open(config.data_dir));
  SystemClock clock;
  SystemRng rng;
  TRY_ASSIGN(auto credentials, credentials_of(config, rng));
  TRY_ASSIGN(auto keys, api::load_keys(*store));
  TRY_STATUS(check_secrets(config.secrets, credentials, keys));

  config.setup.hidden = std::move(config.private_files);
  config.setup.hidden.push_back(std::filesystem::absolute(config.data_dir).string());
  const char* path = std::getenv("PATH");
  TimerThread timers;
  TRY_ASSIGN(const auto pins, PinFiles::open(config.data_dir));
  // They call back into the runtime: they end before it does.
  auto processes = std::make_unique<SandboxRunner>(path == nullptr ? kDefaultPath : path);
  TRY_STATUS(try_shells(config, *processes));
  auto client = std::make_unique<CurlClient>(clock);
  auto workers = std::make_unique<runtime::Workers>(2);
  TRY_ASSIGN(
      const auto runtime,
      runtime::Runtime::make(
          std::move(config.setup),
          {*store, *blobs, clock, rng, *client,
           [&](std::function<void()> work) { workers->put(std::move(work)); }, config.secrets,
           read_secret, end_process, processes.get(), &timers, pins.get(), PERDURE_VERSION}));
  TRY_ASSIGN(auto exporter, make_exporter(config.telemetry, runtime->setup().models,
                                          config.data_dir, *store, *client, clock));
  std::function<TraceFigures()> figures;
  if (exporter) figures = [&] { return exporter->figures(); };
  DiskSpace space(config.data_dir, config.disk_reserve_mib << 20, clock, free_bytes);
  LateHandler handler;
  HttpServerOptions http_options;
  http_options.address = config.address;
  http_options.port = config.port;
  http_options.max_body_bytes = api::ApiLimits{}.turn_body_bytes;
  // The rest is for files and for what the server itself calls.
  http_options.max_connections = std::min(kConnectionsMax, descriptors / 4 * 3);
  HttpServer http(http_options, handler);
  api::RemotePlanners planners(http.timers(), {.lease_ms = config.planner_lease_ms});
  for (const auto& [name, agent] : runtime->setup().plain_agents) {
    if (agent.planner != kScriptPlanner) planners.add(agent.planner);
  }
  runtime->set_remote_planners([&](const std::string& name) { return planners.find(name); });
  api::Api api({.engine = runtime->engine(),
                .reader = *store,
                .blobs = *blobs,
                .agents = runtime->agents(),
                .tools = runtime->tools(),
                .clock = clock,
                .rng = rng,
                .timers = http.timers(),
                .planners = planners,
                .store_secret = store->secret(),
                .credentials = std::move(credentials),
                .keys = std::move(keys),
                .hosts = config.hosts,
                .origins = config.origins,
                .space = &space,
                .process = process_figures,
                .version = PERDURE_VERSION,
                .traces = figures,
                .masker = config.secrets.masker()});
  handler.set(api);
  runtime->engine().observe(&api.observer());
  runtime->set_on_delta(
      [&](const TaskId& task, const StepId& step, uint32_t attempt, std::string_view text) {
        api.publish_delta(task, step, attempt, text);
      });

  // Nothing is sent before it is known where nothing may be sent to.
  TRY_STATUS(http.start());
  const std::string address_file = config.data_dir + "/address";
  const std::string running_file = config.data_dir + "/running";
  Status known = client->forbid(config.address, http.port());
  if (known) known = write_private(address_file, own_address(config, http.port()) + "\n");
  if (known) known = write_private(running_file, config.running);
  if (!known) {
    http.stop(0);
    return tl::unexpected(known.error());
  }
  runtime::EngineThread engine(runtime->engine(), clock);
  engine.start();
  if (exporter) exporter->start();
  warn_if_in_clear(config);
  warn_of_unknown_prices(runtime->setup().models);
  log(LogLevel::kInfo, "server.started",
      {{"version", PERDURE_VERSION},
       {"address", shown_address(config, http.port())},
       {"data_dir", config.data_dir},
       {"models", std::to_string(runtime->setup().models.size())}});
  fmt::print("listening on {}\n", shown_address(config, http.port()));
  std::fflush(stdout);

  const auto activity = [&] {
    const api::Api::Traffic traffic = api.traffic();
    return Activity{traffic.requests, traffic.held};
  };
  const auto is_work_open = [&] { return has_open_tasks(*store, clock); };
  const std::string why = wait_for_end(signals, config.until_idle_ms, activity, is_work_open);
  log(LogLevel::kInfo, "server.draining", {{"why", why}});
  engine.stop(config.drain_ms);
  http.stop(1'000);
  exporter.reset();
  std::remove(address_file.c_str());
  std::remove(running_file.c_str());
  runtime->close_tools();
  workers.reset();
  client.reset();
  processes.reset();
  log(LogLevel::kInfo, "server.stopped");
  return why == kIdle && is_work_open();
}

}  // namespace perdure::server
