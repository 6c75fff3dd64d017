#include "adapters/sandbox/child.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <signal.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "adapters/sandbox/bubblewrap.h"
#include "base/json.h"
#include "base/text.h"

namespace perdure {
namespace {

using End = ProcessExit::End;

constexpr size_t kReadBytes = 64 * 1024;
constexpr size_t kStderrBeginsMax = 1000;
constexpr size_t kStatusTextMax = 4096;
// What a pipe may still hold when its writers are gone.
constexpr size_t kLastReads = 32;
constexpr int kStatusFd = 3;  // of bwrap
// Beside the command itself: bwrap outside, and the first process inside.
constexpr rlim_t kOwnProcesses = 2;

struct Pipe {
  Descriptor read, write;
};

Result<Pipe> make_pipe() {
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) {
    return fail(Code::kExhausted, fmt::format("no pipe for a child: {}", std::strerror(errno)));
  }
  Pipe pipe{Descriptor(above_standard(ends[0])), Descriptor(above_standard(ends[1]))};
  if (pipe.read.is_open() && pipe.write.is_open()) return pipe;
  return fail(Code::kExhausted, "no descriptor for a child");
}

void make_nonblocking(const Descriptor& fd) {
  fcntl(fd.get(), F_SETFL, fcntl(fd.get(), F_GETFL) | O_NONBLOCK);
}

bool has_nul(const ProcessSpec& spec) {
  const auto in = [](const std::string& text) { return text.find('\0') != std::string::npos; };
  return in(spec.workdir) || std::any_of(spec.command.begin(), spec.command.end(), in) ||
         std::any_of(spec.environment.begin(), spec.environment.end(), [&](const auto& entry) {
           return in(entry.first) || in(entry.second) || entry.first.empty() ||
                  entry.first.find('=') != std::string::npos;
         });
}

Status check(const ProcessSpec& spec) {
  if (spec.command.empty() || spec.command.front().empty()) {
    return fail(Code::kInvalid, "no command was given");
  }
  if (has_nul(spec)) {
    return fail(Code::kInvalid,
                "a command, a folder or a variable holds a zero byte, or a variable has no name");
  }
  return {};
}

Result<std::string> find_program(const ProcessSpec& spec) {
  const std::string& name = spec.command.front();
  if (name.find('/') != std::string::npos) return name;
  std::string_view path = kDefaultPath;
  for (const auto& [key, value] : spec.environment) {
    if (key == "PATH") path = value;
  }
  while (!path.empty()) {
    const size_t colon = path.find(':');
    const std::string file = std::string(path.substr(0, colon)) + "/" + name;
    if (file.starts_with('/') && access(file.c_str(), X_OK) == 0) return file;
    path = colon == std::string_view::npos ? "" : path.substr(colon + 1);
  }
  return fail(Code::kNotFound, fmt::format("there is no program '{}' in its PATH", name));
}

std::vector<std::pair<int, rlim_t>> limits_of(const ProcessSpec& spec) {
  const ProcessLimits& limits = spec.limits;
  std::vector<std::pair<int, rlim_t>> out{{RLIMIT_CORE, 0}};
  if (limits.cpu_s > 0) out.emplace_back(RLIMIT_CPU, limits.cpu_s);
  if (limits.memory_bytes > 0) out.emplace_back(RLIMIT_AS, limits.memory_bytes);
  if (limits.file_bytes > 0) out.emplace_back(RLIMIT_FSIZE, limits.file_bytes);
  // Outside a namespace it would count all processes of our user.
  if (limits.processes > 0 && spec.isolation == ProcessSpec::Isolation::kSandbox) {
    out.emplace_back(RLIMIT_NPROC, limits.processes + kOwnProcesses);
  }
  return out;
}

// What bwrap wrote to its status: one JSON object a line.
std::optional<int> reported_status(std::string_view text) {
  while (!text.empty()) {
    const size_t end = text.find('\n');
    if (const auto line = parse_json(text.substr(0, end), "status"); line && line->is_object()) {
      const json::value* code = line->get_object().if_contains("exit-code");
      if (code != nullptr && code->is_int64()) return static_cast<int>(code->get_int64());
    }
    text = end == std::string_view::npos ? "" : text.substr(end + 1);
  }
  return std::nullopt;
}

std::string first_line(std::string_view text) {
  std::string line(text.substr(0, text.find('\n')));
  return is_valid_utf8(line) ? line : "(not text)";
}

}  // namespace

Child::Child(ProcessSpec spec, ProcessCallbacks callbacks, std::shared_ptr<StdinState> stdin_state)
    : spec_(std::move(spec)),
      callbacks_(std::move(callbacks)),
      stdin_state_(std::move(stdin_state)) {}

void Child::start(const std::string& bwrap, int64_t now_ms) {
  if (Status started = try_start(bwrap); !started)
    return refuse(std::move(started.error().message));
  if (spec_.limits.wall_ms > 0) deadline_ms_ = now_ms + spec_.limits.wall_ms;
}

void Child::refuse(std::string why) {
  end_ = ProcessExit{End::kNotStarted, 0, std::move(why)};
}

Result<Launch> Child::plan(const std::string& bwrap) const {
  TRY_STATUS(check(spec_));
  Launch out;
  if (is_sandboxed()) {
    if (bwrap.empty()) {
      return fail(Code::kUnavailable,
                  "there is no sandbox: the program bwrap was not found; install the package "
                  "bubblewrap");
    }
    TRY_ASSIGN(out.arguments, bubblewrap_arguments(bwrap, spec_, kStatusFd));
    out.path = bwrap;
    out.first_of_namespace = true;
  } else {
    TRY_STATUS(check_paths(spec_));
    TRY_ASSIGN(out.path, find_program(spec_));
    out.arguments = spec_.command;
    out.workdir = spec_.workdir;
  }
  for (const auto& [name, value] : spec_.environment) out.environment.push_back(name + "=" + value);
  out.limits = limits_of(spec_);
  return out;
}

Status Child::try_start(const std::string& bwrap) {
  TRY_ASSIGN(Launch launch_plan, plan(bwrap));
  TRY_ASSIGN(Pipe in, make_pipe());
  TRY_ASSIGN(Pipe out, make_pipe());
  TRY_ASSIGN(Pipe err, make_pipe());
  TRY_ASSIGN(Pipe status, make_pipe());
  launch_plan.descriptors = {in.read.get(), out.write.get(), err.write.get()};
  if (is_sandboxed()) {
    launch_plan.descriptors.push_back(status.write.get());
    status_ = std::move(status.read);
    make_nonblocking(status_);
  }
  TRY_ASSIGN(process_, launch(launch_plan));
  pidfd_ = Descriptor(process_.pidfd);
  stdin_ = std::move(in.write);
  stdout_ = std::move(out.read);
  stderr_ = std::move(err.read);
  for (const Descriptor* fd : {&stdin_, &stdout_, &stderr_}) make_nonblocking(*fd);
  return {};
}

void Child::write(std::string bytes) {
  if (!stdin_.is_open() || close_when_written_) return;
  queue_.push_back(std::move(bytes));
  feed_stdin();
}

void Child::close_stdin() {
  close_when_written_ = true;
  stdin_state_->open = false;
  if (queue_.empty()) stdin_.reset();
}

void Child::feed_stdin() {
  while (!queue_.empty() && stdin_.is_open()) {
    const std::string& next = queue_.front();
    const ssize_t size =
        ::write(stdin_.get(), next.data() + queue_offset_, next.size() - queue_offset_);
    if (size < 0) {
      if (errno == EAGAIN || errno == EINTR) return;
      stdin_state_->open = false;  // it does not read any more
      queue_.clear();
      return stdin_.reset();
    }
    queue_offset_ += static_cast<size_t>(size);
    stdin_state_->waiting_bytes -= static_cast<size_t>(size);
    if (queue_offset_ < next.size()) continue;
    queue_.pop_front();
    queue_offset_ = 0;
  }
  if (queue_.empty() && close_when_written_) stdin_.reset();
}

void Child::kill(End why) {
  if (end_ || process_.pid < 0) return;
  if (!killed_) killed_ = why;
  deadline_ms_ = 0;
  if (is_sandboxed()) {
    syscall(SYS_pidfd_send_signal, pidfd_.get(), SIGKILL, nullptr, 0);
  } else {
    ::kill(-process_.pid, SIGKILL);  // not reaped yet: the number is its own
  }
}

bool Child::is_disk_full() const {
  struct statvfs found{};
  if (!watches_disk() || statvfs(spec_.workdir.c_str(), &found) != 0) return false;
  return uint64_t{found.f_bavail} * found.f_frsize < spec_.limits.disk_bytes;
}

Child::Waits Child::waits() const {
  Waits out{};
  out[0] = {queue_.empty() ? -1 : stdin_.get(), POLLOUT, 0};
  out[1] = {stdout_.get(), POLLIN, 0};
  out[2] = {stderr_.get(), POLLIN, 0};
  out[3] = {status_.get(), POLLIN, 0};
  out[4] = {pidfd_.get(), POLLIN, 0};
  return out;
}

void Child::take(const Waits& events) {
  if (end_) return;
  if (events[0].revents != 0) feed_stdin();
  if (events[1].revents != 0) read_output(stdout_, true);
  if (events[2].revents != 0) read_output(stderr_, false);
  if (events[3].revents != 0) read_status();
  if (events[4].revents != 0) collect();
}

void Child::read_output(Descriptor& from, bool is_stdout) {
  std::array<char, kReadBytes> buffer;
  const ssize_t size = read(from.get(), buffer.data(), buffer.size());
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) return from.reset();
  std::string_view bytes(buffer.data(), static_cast<size_t>(size));
  if (!is_stdout && stderr_begins_.size() < kStderrBeginsMax) {
    stderr_begins_ += bytes.substr(0, kStderrBeginsMax - stderr_begins_.size());
  }
  if (spec_.limits.output_bytes > 0) {
    const uint64_t left = spec_.limits.output_bytes - output_bytes_;
    if (bytes.size() > left) kill(End::kOutputLimit);
    bytes = bytes.substr(0, left);
  }
  output_bytes_ += bytes.size();
  const auto& tell = is_stdout ? callbacks_.on_stdout : callbacks_.on_stderr;
  if (tell && !bytes.empty()) tell(bytes);
}

void Child::read_status() {
  std::array<char, 512> buffer;
  const ssize_t size = read(status_.get(), buffer.data(), buffer.size());
  if (size < 0 && (errno == EAGAIN || errno == EINTR)) return;
  if (size <= 0) return status_.reset();
  if (status_text_.size() < kStatusTextMax) {
    status_text_.append(buffer.data(), static_cast<size_t>(size));
  }
}

// The process has ended, and in a sandbox with it all that it started.
void Child::collect() {
  if (!is_sandboxed()) ::kill(-process_.pid, SIGKILL);  // what it left behind in its group
  siginfo_t info{};
  if (waitid(P_PIDFD, static_cast<id_t>(pidfd_.get()), &info, WEXITED | WNOHANG) != 0 ||
      info.si_pid == 0) {
    return;
  }
  pidfd_.reset();
  // Of the group, only those that came to us; usually none does.
  while (!is_sandboxed() && waitpid(-process_.pid, nullptr, WNOHANG) > 0) {
  }
  for (size_t i = 0; i < kLastReads && stdout_.is_open(); ++i) read_output(stdout_, true);
  for (size_t i = 0; i < kLastReads && stderr_.is_open(); ++i) read_output(stderr_, false);
  while (status_.is_open()) {
    const size_t before = status_text_.size();
    read_status();
    if (status_text_.size() == before) break;
  }
  end_ = how_it_ended(info.si_code, info.si_status);
}

ProcessExit Child::how_it_ended(int code, int status) const {
  // What ended by itself just before it was killed has a status, but not all of its output.
  if (killed_ && (code != CLD_EXITED || *killed_ == End::kOutputLimit)) {
    switch (*killed_) {
      case End::kTimedOut:
        return {*killed_, 0, fmt::format("killed after {} ms", spec_.limits.wall_ms)};
      case End::kOutputLimit:
        return {*killed_, 0,
                fmt::format("killed: it wrote more than {} bytes", spec_.limits.output_bytes)};
      case End::kDiskFull:
        return {*killed_, 0,
                fmt::format("killed: the disk of {} has less than {} bytes left", spec_.workdir,
                            spec_.limits.disk_bytes)};
      default:
        return {*killed_, 0, "killed"};
    }
  }
  if (code != CLD_EXITED) {
    return {End::kSignalled, status, fmt::format("ended by signal {}", status)};
  }
  if (!is_sandboxed()) return {End::kExited, status, fmt::format("exit status {}", status)};
  if (const auto reported = reported_status(status_text_)) {
    return {End::kExited, *reported, fmt::format("exit status {}", *reported)};
  }
  return {End::kNotStarted, 0, "the sandbox could not be set up: " + first_line(stderr_begins_)};
}

void Child::tell_end() {
  stdin_state_->open = false;
  for (Descriptor* fd : {&pidfd_, &stdin_, &stdout_, &stderr_, &status_}) fd->reset();
  if (callbacks_.on_exit) callbacks_.on_exit(std::move(*end_));
}

}  // namespace perdure
