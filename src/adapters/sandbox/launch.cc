#include "adapters/sandbox/launch.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>

#include "base/assert.h"

namespace perdure {
namespace {

constexpr size_t kStackBytes = 128 * 1024;
constexpr int kDescriptorsMax = 8;

// What the child reads. It shares our memory until it executes the program, and our thread waits:
// it may only make system calls, and writes nothing but what is said here.
struct Plan {
  const Launch* launch = nullptr;
  std::vector<char*> arguments;
  std::vector<char*> environment;
  std::string uid_map;
  std::string gid_map;
  pid_t parent = 0;
  int parent_fd = -1;  // a pidfd
  // Of the child.
  int error = 0;
  const char* failed_at = "";
};

bool write_whole(const char* path, const char* text) {
  const int fd = open(path, O_WRONLY | O_CLOEXEC);
  if (fd < 0) return false;
  const size_t size = std::strlen(text);
  const bool written = write(fd, text, size) == static_cast<ssize_t>(size);
  const int error = errno;
  close(fd);
  errno = error;
  return written;
}

// In its namespace the user has the number that it has outside.
bool map_user(const Plan& plan) {
  return write_whole("/proc/self/setgroups", "deny") &&
         write_whole("/proc/self/uid_map", plan.uid_map.c_str()) &&
         write_whole("/proc/self/gid_map", plan.gid_map.c_str());
}

// A death that came before it was asked about. Seen from a namespace of its own, the child has no
// parent.
bool parent_is_gone(const Plan& plan) {
  pollfd parent{plan.parent_fd, POLLIN, 0};
  if (poll(&parent, 1, 0) == 1) return true;
  return !plan.launch->first_of_namespace && getppid() != plan.parent;
}

void reset_signals() {
  for (int number = 1; number < NSIG; ++number) signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
}

bool set_limits(const Launch& launch) {
  for (const auto& [what, most] : launch.limits) {
    rlimit limit{};
    if (getrlimit(static_cast<__rlimit_resource>(what), &limit) != 0) return false;
    limit.rlim_max = std::min(limit.rlim_max, most);
    limit.rlim_cur = std::min(limit.rlim_cur, limit.rlim_max);
    if (setrlimit(static_cast<__rlimit_resource>(what), &limit) != 0) return false;
  }
  // Ours is raised for many connections; programs that use select() expect the usual one.
  rlimit files{};
  if (getrlimit(RLIMIT_NOFILE, &files) != 0) return false;
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, 1024);
  return setrlimit(RLIMIT_NOFILE, &files) == 0;
}

bool place_descriptors(const Launch& launch) {
  int next = 0;
  for (const int fd : launch.descriptors) {
    if (dup2(fd, next++) < 0) return false;
  }
  return close_range(static_cast<unsigned>(next), ~0u, 0) == 0;
}

int child(void* argument) {
  Plan& plan = *static_cast<Plan*>(argument);
  const Launch& launch = *plan.launch;
  const auto tried = [&](bool ok, const char* what) {
    if (ok) return;
    plan.error = errno;
    plan.failed_at = what;
    _exit(127);
  };
  tried(prctl(PR_SET_PDEATHSIG, SIGKILL) == 0, "ask to die with the server");
  if (parent_is_gone(plan)) _exit(127);
  if (launch.first_of_namespace) tried(map_user(plan), "map its user into its namespace");
  tried(setsid() >= 0, "begin a session");
  tried(set_limits(launch), "set its limits");
  tried(chdir(launch.workdir.c_str()) == 0, "enter its folder");
  tried(place_descriptors(launch), "place its descriptors");
  reset_signals();
  execve(launch.path.c_str(), plan.arguments.data(), plan.environment.data());
  tried(false, "execute it");
  return 127;
}

std::vector<char*> pointers(const std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (const std::string& text : texts) out.push_back(const_cast<char*>(text.c_str()));
  out.push_back(nullptr);
  return out;
}

Error describe(const Launch& launch, const char* failed_at, int error) {
  const bool namespaces = launch.first_of_namespace && failed_at == nullptr;
  return {Code::kUnavailable,
          fmt::format("{} could not be started: {}: {}{}", launch.arguments.front(),
                      failed_at == nullptr ? "clone" : failed_at, std::strerror(error),
                      namespaces && (error == EPERM || error == ENOSPC || error == EINVAL)
                          ? " (does this machine permit user namespaces?)"
                          : "")};
}

}  // namespace

int above_standard(int fd) {
  const int high = fcntl(fd, F_DUPFD_CLOEXEC, kDescriptorsMax);
  close(fd);
  return high;
}

Result<Launched> launch(const Launch& launch) {
  PERDURE_ASSERT(launch.descriptors.size() >= 3 && launch.descriptors.size() <= kDescriptorsMax,
                 "a child has its three streams, and few more");
  Plan plan;
  plan.launch = &launch;
  plan.arguments = pointers(launch.arguments);
  plan.environment = pointers(launch.environment);
  plan.uid_map = fmt::format("{0} {0} 1", geteuid());
  plan.gid_map = fmt::format("{0} {0} 1", getegid());
  plan.parent = getpid();
  plan.parent_fd = static_cast<int>(syscall(SYS_pidfd_open, plan.parent, 0));
  if (plan.parent_fd < 0) return tl::unexpected(describe(launch, "pidfd_open", errno));
  std::vector<std::byte> stack(kStackBytes);
  auto top = reinterpret_cast<uintptr_t>(stack.data()) + stack.size();
  top &= ~uintptr_t{63};
  int flags = CLONE_VM | CLONE_VFORK | CLONE_PIDFD | SIGCHLD;
  if (launch.first_of_namespace) flags |= CLONE_NEWUSER | CLONE_NEWPID;
  // Until it has reset them, our handlers must not run in the child.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  Launched launched;
  launched.pid = clone(child, reinterpret_cast<void*>(top), flags, &plan, &launched.pidfd);
  const int clone_error = errno;
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  close(plan.parent_fd);
  if (launched.pid < 0) return tl::unexpected(describe(launch, nullptr, clone_error));
  if (plan.error == 0) return launched;
  while (waitpid(launched.pid, nullptr, 0) < 0 && errno == EINTR) {
  }
  close(launched.pidfd);
  return tl::unexpected(describe(launch, plan.failed_at, plan.error));
}

}  // namespace perdure
