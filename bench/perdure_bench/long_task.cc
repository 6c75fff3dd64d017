// A task of many turns whose server was killed: from the start of the next process to the task's
// next call of its model, with and without its snapshot.
#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <thread>

#include "bench.h"
#include "calling_model.h"
#include "core/state.h"
#include "cost.h"
#include "model/provider.h"
#include "runtime/agent_versions.h"
#include "runtime/transcripts.h"
#include "schema/meter.h"
#include "server_process.h"

namespace perdure::bench {
namespace {

namespace fs = std::filesystem;

constexpr size_t kTextBytes = 64;  // that the model says in each turn, beside its call
constexpr int kRenderings = 5;
constexpr int kPatienceMs = 60'000;

// A model that takes the call and says nothing.
class SilentModel {
 public:
  SilentModel() : listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* generic = reinterpret_cast<sockaddr*>(&address);
    if (bind(listener_, generic, size) != 0 || listen(listener_, 8) != 0 ||
        getsockname(listener_, generic, &size) != 0) {
      die("nobody can listen");
    }
    port_ = ntohs(address.sin_port);
  }
  ~SilentModel() { close(listener_); }
  SilentModel(const SilentModel&) = delete;
  SilentModel& operator=(const SilentModel&) = delete;

  uint16_t port() const { return port_; }
  // When the first byte of the next call is here.
  double wait_for_call_us() {
    wait(listener_);
    const int connection = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
    if (connection < 0) die("the model's connection is gone");
    wait(connection);
    const double here_us = now_us();
    close(connection);
    return here_us;
  }

 private:
  static void wait(int fd) {
    pollfd wanted{fd, POLLIN, 0};
    if (poll(&wanted, 1, kPatienceMs) != 1) die("the task did not call its model");
  }

  int listener_;
  uint16_t port_ = 0;
};

// The data directory of a process that died with the call of the model that follows `turns` turns.
struct Journal {
  TaskId task;
  std::string version;  // of its agent
  uint64_t records = 0;
};
Journal make_journal(const std::string& dir, int turns) {
  CallingModel model(turns, kTextBytes, CallingModel::Then::kIsSilent);
  WritingTool tool(dir + "/outside");
  EngineWorld world(dir, {.tool = tool, .http = &model, .setup = calling_setup()}, true);
  world.submit_to_agent("worker", R"("Write it down, again and again.")");
  world.pump_until([&] { return model.is_silent(); });
  const auto open = must(world.store().runnable(std::nullopt, 2));
  if (open.size() != 1) die("there is not one task");
  const auto* state = world.engine().state_of(open.front());
  return {open.front(), state->agent_version, state->head};
}

// When the prompt goes out.
class Wire : public HttpClient {
 public:
  CallId send(HttpRequest request, HttpCallbacks) override {
    sent_us = now_us();
    body_bytes = request.body.size();
    return 1;
  }
  void cancel(CallId) override {}
  double sent_us = 0;
  size_t body_bytes = 0;
};

// From a transcript that is at hand to the request with its body, handed to the HTTP client: what
// the executor of models does then.
struct Rendering {
  double us = 0;
  size_t body_bytes = 0;
};
Rendering measure_rendering(const std::string& dir, const Journal& journal) {
  const auto store = must(SqliteStore::open({.dir = dir, .unsafe_no_sync = true}));
  const auto blobs = must(FileBlobs::open(dir));
  runtime::AgentVersions versions(*blobs);
  const auto spec = must(versions.spec(journal.version));
  runtime::Transcripts transcripts(*store, *blobs, nullptr, 1, 1);
  // What the call that is open was planned from: all records but those of its own turn and intent.
  Seq seq = journal.records;
  std::shared_ptr<const Transcript> transcript;
  do {
    transcript = must(transcripts.at(journal.task, "default", *spec, seq--, {}));
  } while (transcript->stage() != Transcript::Stage::kCallModel);
  Wire wire;
  SystemClock clock;
  const auto provider =
      must(make_provider(calling_setup().models.front(), wire, clock,
                         [](const std::string&) -> Result<std::string> { return std::string(); }));
  std::vector<double> each_us;
  for (int i = 0; i < kRenderings; ++i) {
    const double start_us = now_us();
    ProviderCall call;
    call.request = transcript->request(*spec);
    provider->call(std::move(call), {{}, {}, [](const ProviderResult&) {}});
    each_us.push_back(wire.sent_us - start_us);
  }
  return {quantile(each_us, 0.5), wire.body_bytes};
}

std::string config_of(uint16_t model_port, bool snapshots) {
  return fmt::format(
      "[server]\nsnapshots = {}\n[models.main]\nprovider = \"openai-chat\"\nmodel = \"m\"\n"
      "base_url = \"http://127.0.0.1:{}/v1\"\nallow_private = true\n",
      snapshots, model_port);
}

// All of it on the disk: the server's first flush is not to wait for it.
void copy(const std::string& from, const std::string& to) {
  fs::remove_all(to);
  fs::copy(from, to, fs::copy_options::recursive);
  sync();
}

// A server that has just met the task writes its snapshots: then it is killed.
void leave_snapshots(const Options& options, const std::string& dir, SilentModel& model) {
  ServerProcess server(options.server, dir, true, config_of(model.port(), true));
  model.wait_for_call_us();
  for (int waited_ms = 0;; waited_ms += 10) {
    size_t count = 0;
    for (const auto& entry : fs::directory_iterator(dir + "/snapshots")) {
      count += entry.path().extension() != ".new" ? 1 : 0;
    }
    if (count == 2) return;
    if (waited_ms > kPatienceMs) die("no snapshots were written");
    poll(nullptr, 0, 10);
  }
}

uint64_t snapshot_bytes(const std::string& dir) {
  uint64_t bytes = 0;
  for (const auto& entry : fs::directory_iterator(dir + "/snapshots")) bytes += entry.file_size();
  return bytes;
}

}  // namespace

Rows long_task(const Options& options) {
  const std::string name = fmt::format(
      "task of {} turns after SIGKILL, exec to its next model call, without rendering: ",
      options.turns);
  Row with{.name = name + "with its snapshot", .unit = "ms", .floor = 60, .goal = 20};
  Row without{.name = name + "without one", .unit = "ms", .floor = 400, .goal = 150};
  const ScratchDir scratch(options.dir);
  const std::string plain = scratch.path() + "/plain", kept = scratch.path() + "/kept";
  const std::string data = scratch.path() + "/data";
  fs::create_directory(plain);
  fs::permissions(plain, fs::perms::owner_all);
  const Journal journal = make_journal(plain, options.turns);
  copy(plain, data);
  const Rendering rendering = measure_rendering(data, journal);
  SilentModel model;
  copy(plain, kept);
  leave_snapshots(options, kept, model);
  for (int run = 0; run < options.runs; ++run) {
    for (const bool snapshots : {true, false}) {
      copy(snapshots ? kept : plain, data);
      ServerProcess server(options.server, data, options.unsafe_no_sync,
                           config_of(model.port(), snapshots));
      const double us = model.wait_for_call_us() - server.started_us();
      Row& row = snapshots ? with : without;
      row.runs.push_back((us - rendering.us) / 1e3);
      row.note = fmt::format(
          "{:.1f} ms in all, {:.1f} to /readyz; rendering {:.1f} MB of prompt {:.1f} ms; {} "
          "records",
          us / 1e3, server.ready_us() / 1e3, double(rendering.body_bytes) / 1e6, rendering.us / 1e3,
          journal.records);
    }
  }
  with.note += fmt::format(", snapshots of {:.1f} MB", double(snapshot_bytes(kept)) / 1e6);
  with.valid = without.valid = !options.unsafe_no_sync;
  return {with, without};
}

}  // namespace perdure::bench
