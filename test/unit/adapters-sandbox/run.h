#pragma once
// Runs a process to its end, for tests.
#include <grp.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "adapters/sandbox/sandbox_runner.h"

namespace perdure::testing {

inline constexpr const char* kPath = "/usr/local/bin:/usr/bin:/bin";

struct Ended {
  ProcessExit exit;
  std::string out;
  std::string err;
};

class Running {
 public:
  Running(ProcessRunner& runner, ProcessSpec spec,
          std::function<void(const std::string& out)> on_out = {}) {
    ProcessCallbacks callbacks;
    callbacks.on_stdout = [this, on_out = std::move(on_out)](std::string_view bytes) {
      ended_.out += bytes;
      if (on_out) on_out(ended_.out);
    };
    callbacks.on_stderr = [this](std::string_view bytes) { ended_.err += bytes; };
    callbacks.on_exit = [this](ProcessExit exit) {
      ended_.exit = std::move(exit);
      done_.set_value();
    };
    process = runner.start(std::move(spec), std::move(callbacks));
  }
  Ended wait() {
    done_.get_future().wait();
    return ended_;
  }

  std::unique_ptr<Process> process;

 private:
  Ended ended_;
  std::promise<void> done_;
};

inline ProcessSpec shell(const std::string& command,
                         ProcessSpec::Isolation isolation = ProcessSpec::Isolation::kSandbox) {
  ProcessSpec spec;
  spec.command = {"/bin/sh", "-c", command};
  spec.environment = {{"PATH", kPath}};
  spec.workdir = "/tmp";
  spec.isolation = isolation;
  spec.limits.wall_ms = 20'000;
  return spec;
}

inline Ended run(ProcessRunner& runner, ProcessSpec spec) {
  Running running(runner, std::move(spec));
  running.process->close_stdin();
  return running.wait();
}

// Processes with `mark` in their command line.
inline int count_processes(const std::string& mark) {
  int count = 0;
  for (const auto& entry : std::filesystem::directory_iterator("/proc")) {
    std::ifstream file(entry.path() / "cmdline");
    std::string line;
    std::getline(file, line);  // one that ends just now cannot be read, and has no line
    if (line.find(mark) != std::string::npos) ++count;
  }
  return count;
}

// Waits until there is none of them; false: some lived on.
inline bool are_gone(const std::string& mark) {
  for (int i = 0; i < 1000; ++i) {
    if (count_processes(mark) == 0) return true;
    poll(nullptr, 0, 5);
  }
  return false;
}

// Runs `work` as an ordinary user who owns `folder`, in a process of its own when we are root. Its
// return value, of at most 8 bits.
inline int as_ordinary_user(const std::string& folder, const std::function<int()>& work) {
  if (geteuid() != 0) return work();
  constexpr uid_t kSomebody = 61234;
  const pid_t child = fork();
  if (child == 0) {
    bool ok = chown(folder.c_str(), kSomebody, kSomebody) == 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder)) {
      ok = ok && chown(entry.path().c_str(), kSomebody, kSomebody) == 0;
    }
    ok = ok && setgroups(0, nullptr) == 0 && setgid(kSomebody) == 0 && setuid(kSomebody) == 0;
    // As a program that this user started: one that changed its user cannot map it.
    ok = ok && prctl(PR_SET_DUMPABLE, 1) == 0;
    _exit(ok ? work() : 255);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

class Folder {
 public:
  Folder() {
    std::string name = std::filesystem::temp_directory_path() / "perdure-XXXXXX";
    path_ = mkdtemp(name.data());
  }
  ~Folder() { std::filesystem::remove_all(path_); }
  Folder(const Folder&) = delete;
  Folder& operator=(const Folder&) = delete;
  std::string operator/(const std::string& name) const { return path_ + "/" + name; }
  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace perdure::testing
