#pragma once
// Child processes: commands in a sandbox, and tool servers that speak over stdin and stdout.
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace perdure {

// Where programs are, when nobody says.
inline constexpr const char* kDefaultPath = "/usr/local/bin:/usr/bin:/bin";

// 0: no limit. What is said of each process is inherited, not shared: n processes may use it n
// times.
struct ProcessLimits {
  int64_t wall_ms = 0;
  uint64_t cpu_s = 0;               // of each process
  uint64_t memory_bytes = 0;        // address space of each process
  uint64_t file_bytes = 0;          // the largest file that is written
  uint64_t processes = 0;           // at once, in a sandbox; the kernel does not hold root to it
  uint64_t tmp_bytes = 256u << 20;  // /tmp and /dev/shm of a sandbox, each; they are memory
  uint64_t disk_bytes = 0;          // while less is free on the disk of its workdir, it is killed
  uint64_t output_bytes = 0;        // stdout and stderr together; what writes more is killed
  size_t stdin_bytes = 1u << 20;    // that wait to be read
};

struct ProcessSpec {
  enum class Isolation : uint8_t {
    // Namespaces of its own: of the machine's files it sees programs, libraries and what is listed
    // here; of the machine's processes none; of the network nothing unless `network`.
    kSandbox,
    // An ordinary process of our user. It dies with us, and what it started is killed with it; but
    // what has left its process group, or is there when we are killed ourselves, lives on.
    kSameUser,
  };
  // [0] is a path, or a name that is looked for in the PATH of `environment`.
  std::vector<std::string> command;
  std::vector<std::pair<std::string, std::string>> environment;  // all that is set, but for PWD
  std::string workdir;  // absolute; in a sandbox a folder that it sees, and "/tmp" is its own
  Isolation isolation = Isolation::kSandbox;
  // The machine's whole network, the loopback interface and our own listener included.
  bool network = false;
  // Absolute paths that the sandbox sees where they are. They must exist.
  std::vector<std::string> writable;
  std::vector<std::string> readable;
  // Absolute paths that it does not see, whatever is listed. What is writable must neither contain
  // nor be part of them: a folder above could be moved.
  std::vector<std::string> hidden;
  ProcessLimits limits;
};

struct ProcessExit {
  enum class End : uint8_t {
    kNotStarted,   // nothing of the command has run
    kExited,       // `status` is what it returned; in a sandbox 128 + n for a signal n
    kSignalled,    // `status` is the signal
    kKilled,       // by kill(), or with its Process, or with its ProcessRunner
    kTimedOut,     // and killed
    kOutputLimit,  // and killed
    kDiskFull,     // nearly, and killed: by its own writing or by that of others
  };
  End end = End::kNotStarted;
  int status = 0;
  std::string detail;  // for people
};

// All on the runner's thread. Must not block.
struct ProcessCallbacks {
  std::function<void(std::string_view bytes)> on_stdout;
  std::function<void(std::string_view bytes)> on_stderr;
  // Once, and last. In a sandbox nothing of it is left.
  std::function<void(ProcessExit)> on_exit;
};

// Thread-safe. Destroying it is kill(): on_exit still comes.
class Process {
 public:
  virtual ~Process() = default;
  // To its stdin, in order. False: more bytes would wait than may, or stdin is closed; nothing was
  // taken.
  virtual bool write(std::string bytes) = 0;
  virtual void close_stdin() = 0;  // behind what was written
  virtual void kill() = 0;         // it and what it started
};

class ProcessRunner {
 public:
  // Kills what runs, and returns after the last callback.
  virtual ~ProcessRunner() = default;
  // Thread-safe; callbacks come possibly before this returns. Every failure is an on_exit. A child
  // has no descriptor of ours, and dies when we do, even by SIGKILL.
  virtual std::unique_ptr<Process> start(ProcessSpec spec, ProcessCallbacks callbacks) = 0;
  // Whether a sandbox can be had on this machine; the error says what is missing. Starts one, so
  // it takes a moment.
  virtual Status try_sandbox() = 0;
};

}  // namespace perdure
