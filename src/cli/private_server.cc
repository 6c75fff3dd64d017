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
constexpr int64_t kGiveWayMs = 200;
constexpr int64_t kAskMs = 60'000;
constexpr int64_t kAskAgainMs = 250;
constexpr int kStartsMax = 5;
constexpr const char* kUsualConfig = "perdure.toml";
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

int64_t log_size(const ServerFiles& files) {
  std::error_code none_yet;
  const auto size = std::filesystem::file_size(log_path(files), none_yet);
  return none_yet ? 0 : static_cast<int64_t>(size);
}

// What was said last. Before `from` it is of other servers.
std::string log_tail(const ServerFiles& files, int64_t from) {
  std::ifstream log(log_path(files));
  log.seekg(from);
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

}  // namespace

bool is_there(Client& client) {
  const auto url = client.url();
  const auto health = url ? client.look_at(*url + "/healthz") : tl::unexpected(url.error());
  return health && text_at(health->object(), "status") == "ok";
}

// Returns when a server answers that is started here, or that another process starts meanwhile. Who
// takes any gives way to one who ended a server in order to start his own.
Status PrivateServer::start(Suits suits) {
  const auto now = [&] { return context_.steady_ms(); };
  const int64_t end = now() + kStartMs;
  const int64_t log_from = log_size(files_);
  std::optional<Child> child;
  int64_t next = suits == Suits::kAny ? now() + kGiveWayMs : now();
  while (now() < end && !attention_.is_interrupted()) {
    if (!child && now() >= next) {
      TRY_ASSIGN(child, spawn(files_));
    }
    attention_.wait(kLookMs);
    if (is_there(context_.client)) return {};
    if (!child && suits == Suits::kAny && is_held(files_.data_dir)) next = now() + kGiveWayMs;
    const auto status = child ? child->exit_status() : std::nullopt;
    if (status && *status != kDataDirInUse && *status != kDone) {
      return fail(Code::kInvalid, fmt::format("the server did not start (exit status {}):{}",
                                              *status, log_tail(files_, log_from)));
    }
    // Another server starts or ends right now: it will answer, or let the directory go. Or ours was
    // told to end before it was seen.
    if (!status) continue;
    child.reset();
    next = now() + kAgainMs;
  }
  if (attention_.is_interrupted()) return fail(Code::kCancelled, "interrupted");
  return fail(Code::kUnavailable,
              fmt::format("no server answered within {} s; {} says why:{}", kStartMs / 1000,
                          log_path(files_), log_tail(files_, log_from)));
}

// The server that answers was started with what the file says now, or has to stay as it is; else it
// was ended.
Result<bool> PrivateServer::is_current() {
  const auto server = running_server(files_.data_dir);
  const std::string sha256 = file_sha256(files_.config);
  if (!server || sha256 == server->config_sha256 || server->pid == told_of_) return true;
  if (sha256.empty() && files_.config == kUsualConfig) return true;  // nobody asked for it
  if (sha256.empty()) {
    return fail(Code::kInvalid, fmt::format("cannot read {}; the server that runs (process {}) was "
                                            "started with another file",
                                            files_.config, server->pid));
  }
  const std::string which =
      fmt::format("perdure: {} is not the one with which the server (process {}) was started",
                  files_.config, server->pid);
  if (!server->is_private) {
    fmt::print(context_.to.err, "{}: it goes on with that until you restart it\n", visible(which));
    told_of_ = server->pid;
    return true;
  }
  TRY_STATUS(context_.program.check_config(files_.config, files_.data_dir));  // before any end
  if (is_at_work(context_.client)) {
    fmt::print(context_.to.err,
               "{}: it goes on with that, since calls are under way; 'perdure stop --data-dir {}' "
               "ends it, and the next 'perdure run' starts one with the new file\n",
               visible(which), visible(files_.data_dir));
    told_of_ = server->pid;
    return true;
  }
  fmt::print(context_.to.err, "{}: it is started anew\n", visible(which));
  TRY_STATUS(end_server(*server, files_.data_dir, context_, attention_));  // or it has ended
  return false;
}

Status PrivateServer::ensure(Suits suits) {
  bool has_ended_one = false;
  // Another process may start one with a file of its own at the same moment, and be first.
  for (int starts = 0; starts < kStartsMax; ++starts) {
    Status started = is_there(context_.client) ? Status() : start(suits);
    if (!started && has_ended_one) {
      started.error().message += "\nthe server that ran was ended; its tasks go on when one starts";
    }
    if (!started || suits == Suits::kAny) return started;
    TRY_ASSIGN(const bool current, is_current());
    if (current) return {};
    has_ended_one = true;
  }
  return fail(Code::kUnavailable,
              fmt::format("others start servers of {} with another operator's file than {} again "
                          "and again: let them end, or say another --data-dir",
                          files_.data_dir, files_.config));
}

Status PrivateServer::ask(const std::function<Status()>& request) {
  const int64_t end = context_.steady_ms() + kAskMs;
  bool is_told = false;
  for (;;) {
    Status answered = request();
    if (answered || answered.error().code != Code::kUnavailable) return answered;
    if (context_.steady_ms() > end) return answered;
    if (!is_told && is_there(context_.client)) {
      is_told = true;
      fmt::print(context_.to.err, "perdure: {}; it is asked again\n",
                 visible(answered.error().message));
    }
    attention_.wait(kAskAgainMs);
    if (attention_.is_interrupted()) return fail(Code::kCancelled, "interrupted");
    TRY_STATUS(ensure(Suits::kWithThisFile));
  }
}

}  // namespace perdure::cli
