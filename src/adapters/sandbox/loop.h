#pragma once
// The thread of SandboxRunner. It is also the parent of the children, and they die with it.
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "adapters/sandbox/child.h"
#include "adapters/sandbox/descriptor.h"

namespace perdure {

class SandboxLoop {
 public:
  using Id = uint64_t;
  struct Command {
    enum class What : uint8_t { kStart, kWrite, kCloseStdin, kKill };
    What what = What::kKill;
    Id id = 0;
    std::unique_ptr<Child> child;
    std::string bytes;
  };

  explicit SandboxLoop(std::string bwrap);
  ~SandboxLoop();
  SandboxLoop(const SandboxLoop&) = delete;
  SandboxLoop& operator=(const SandboxLoop&) = delete;

  Id next_id();
  void put(Command command);
  // Kills all, and returns after the last callback. Later commands have no effect.
  void stop();

 private:
  void run();
  bool take_commands();  // false: stop
  void obey(Command command);
  void wait();
  void end_late();
  void look_at_disks(int64_t now_ms);
  void tell_ended();
  int wait_ms() const;
  void wake();

  const std::string bwrap_;
  Descriptor wake_;
  std::mutex mutex_;
  std::vector<Command> commands_;
  Id last_id_ = 0;
  bool stopping_ = false;
  bool stopped_ = false;
  std::map<Id, std::unique_ptr<Child>> children_;  // the thread's own
  int64_t look_at_ms_ = 0;                         // at disks, again
  std::thread thread_;
};

}  // namespace perdure
