#include "cli/private_server.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <spawn.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>

#include "cli/own_server.h"
#include "cli/text.h"
#include "cli/words.h"

namespace perdure::cli {
namespace {

constexpr int64_t kStartMs = 30'000;
constexpr int64_t kLookMs = 25;
constexpr int64_t kAgainMs = 500;  // after another process had the data directory
constexpr const char* kIdle = "10s";
constexpr size_t kLogTailLines = 5;

Status failed(const std::string& what) {
  return fail(Code::kUnavailable, fmt::format("cannot {}: {}", what, std::strerror(errno)));
}

std::string log_path(const ServerFiles& files) {
  return files.data_dir + "/server.log";
}

// Of a process of ours that is still there, or its exit status.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}

  std::optional<int> exit_status() {
    int status = 0;
    if (pid_ <= 0 || waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
    pid_ = 0;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
  }

 private:
  pid_t pid_;
};

class SpawnActions {
 public:
  SpawnActions() {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
  }
  ~SpawnActions() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnActions(const SpawnActions&) = delete;
  SpawnActions& operator=(const SpawnActions&) = delete;

  // A session of its own, so that neither ctrl-C nor the end of this terminal reaches it; nothing
  // inherited but the environment.
  void detach(const std::string& log) {
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSID);
    posix_spawn_file_actions_addopen(&actions_, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&actions_, STDOUT_FILENO, log.c_str(),
                                     O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&actions_, STDOUT_FILENO, STDERR_FILENO);
    posix_spawn_file_actions_addclosefrom_np(&actions_, STDERR_FILENO + 1);
  }
  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

Result<Child> spawn(const ServerFiles& files) {
  std::error_code ignored;  // mkdir tells
  std::filesystem::create_directories(std::filesystem::absolute(files.data_dir).parent_path(),
                                      ignored);
  if (mkdir(files.data_dir.c_str(), 0700) != 0 && errno != EEXIST) {
    return tl::unexpected(failed("create the data directory " + files.data_dir).error());
  }
  SpawnActions spawned;
  spawned.detach(log_path(files));
  const char* arguments[] = {"perdure",      "serve",
                             "--config",     files.config.c_str(),
                             "--data-dir",   files.data_dir.c_str(),
                             "--listen",     "127.0.0.1:0",
                             "--until-idle", kIdle,
                             nullptr};
  pid_t pid = 0;
  errno = posix_spawn(&pid, "/proc/self/exe", spawned.actions(), spawned.attributes(),
                      const_cast<char**>(arguments), environ);
  if (errno != 0) return tl::unexpected(failed("start a server").error());
  return Child(pid);
}

// What it said last.
std::string log_tail(const ServerFiles& files) {
  std::ifstream log(log_path(files));
  std::vector<std::string> lines;
  for (std::string line; std::getline(log, line);) {
    lines.push_back(std::move(line));
    if (lines.size() > kLogTailLines) lines.erase(lines.begin());
  }
  std::string out;
  for (const std::string& line : lines) out += "\n  " + line;
  return out;
}

// What is under way is cut off when a server ends, and may be in doubt after that. What cannot be
// known is taken for work.
bool is_at_work(Client& client) {
  const auto metrics = client.get("/metrics", {});
  return !metrics || metrics->text.find("\nperdure_calls_under_way 0\n") == std::string::npos;
}

// Returns when a server answers that is started here, or that another process starts meanwhile.
Status start_server(Context& context, Attention& attention, const ServerFiles& files) {
  const auto now = [&] { return context.steady_ms(); };
  const int64_t end = now() + kStartMs;
  TRY_ASSIGN(Child child, spawn(files));
  int64_t again = 0;
  while (now() < end && !attention.is_interrupted()) {
    attention.wait(kLookMs);
    if (is_there(context.client)) return {};
    const auto status = child.exit_status();
    if (status && *status != kDataDirInUse) {
      return fail(Code::kInvalid, fmt::format("the server did not start (exit status {}):{}",
                                              *status, log_tail(files)));
    }
    // Another server starts or ends right now: it will answer, or let the directory go.
    if (status) again = now() + kAgainMs;
    if (again == 0 || now() < again) continue;
    again = 0;
    TRY_ASSIGN(child, spawn(files));
  }
  if (attention.is_interrupted()) return fail(Code::kCancelled, "interrupted");
  return fail(Code::kUnavailable, fmt::format("no server answered within {} s; {} says why:{}",
                                              kStartMs / 1000, log_path(files), log_tail(files)));
}

// The server that answers was started with what the file says now, or has to stay as it is; else it
// was ended.
Result<bool> is_current(Context& context, Attention& attention, const ServerFiles& files) {
  const auto server = running_server(files.data_dir);
  const std::string sha256 = file_sha256(files.config);
  if (!server || sha256.empty() || sha256 == server->config_sha256) return true;
  const std::string which =
      fmt::format("perdure: {} is not the one with which the server (process {}) was started",
                  files.config, server->pid);
  if (!server->is_private) {
    fmt::print(context.to.err, "{}: it goes on with that until you restart it\n", visible(which));
    return true;
  }
  TRY_STATUS(context.program.check_config(files.config, files.data_dir));  // before any end
  if (is_at_work(context.client)) {
    fmt::print(context.to.err,
               "{}: it goes on with that, since calls are under way; 'perdure stop --data-dir {}' "
               "ends it, and the next 'perdure run' starts one with the new file\n",
               visible(which), visible(files.data_dir));
    return true;
  }
  fmt::print(context.to.err, "{}: it is started anew\n", visible(which));
  TRY_STATUS(end_server(*server, files.data_dir, context, attention));  // or it has ended
  return false;
}

}  // namespace

bool is_there(Client& client) {
  const auto url = client.url();
  const auto health = url ? client.look_at(*url + "/healthz") : tl::unexpected(url.error());
  return health && text_at(health->object(), "status") == "ok";
}

Status ensure_server(Context& context, Attention& attention, const ServerFiles& files,
                     Suits suits) {
  if (!is_there(context.client)) return start_server(context, attention, files);
  if (suits == Suits::kAny) return {};
  TRY_ASSIGN(const bool current, is_current(context, attention, files));
  if (current) return {};
  Status started = start_server(context, attention, files);
  if (!started) {
    started.error().message += "\nthe server that ran was ended; its tasks go on when one starts";
  }
  return started;
}

}  // namespace perdure::cli
