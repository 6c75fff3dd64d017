#pragma once
// One child and its streams, as the thread of the runner sees it.
#include <poll.h>

#include <array>
#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/sandbox/descriptor.h"
#include "adapters/sandbox/launch.h"
#include "ports/process.h"

namespace perdure {

// What the owner's side of a process knows without asking the thread.
struct StdinState {
  std::atomic<size_t> waiting_bytes = 0;
  std::atomic<bool> open = true;
};

class Child {
 public:
  // The order of the descriptors that are waited for.
  static constexpr size_t kWaits = 5;
  using Waits = std::array<pollfd, kWaits>;

  Child(ProcessSpec spec, ProcessCallbacks callbacks, std::shared_ptr<StdinState> stdin_state);

  // `bwrap`: its path, or empty. A failure is an end.
  void start(const std::string& bwrap, int64_t now_ms);
  // In place of start.
  void refuse(std::string why);
  void write(std::string bytes);
  void close_stdin();
  void kill(ProcessExit::End why);

  Waits waits() const;
  void take(const Waits& events);
  // When it must end; 0: never.
  int64_t deadline_ms() const { return deadline_ms_; }
  bool watches_disk() const { return spec_.limits.disk_bytes > 0; }
  // The disk of its workdir has less left than it must leave.
  bool is_disk_full() const;
  bool has_ended() const { return end_.has_value(); }
  // Calls on_exit. Once, when it has ended.
  void tell_end();

 private:
  Status try_start(const std::string& bwrap);
  Result<Launch> plan(const std::string& bwrap) const;
  bool is_sandboxed() const { return spec_.isolation == ProcessSpec::Isolation::kSandbox; }
  void feed_stdin();
  void read_output(Descriptor& from, bool is_stdout);
  void read_status();
  void collect();
  ProcessExit how_it_ended(int code, int status) const;

  const ProcessSpec spec_;
  const ProcessCallbacks callbacks_;
  const std::shared_ptr<StdinState> stdin_state_;
  Launched process_;
  Descriptor pidfd_, stdin_, stdout_, stderr_, status_;
  std::deque<std::string> queue_;  // for stdin
  size_t queue_offset_ = 0;        // into its first
  bool close_when_written_ = false;
  uint64_t output_bytes_ = 0;
  std::string status_text_;    // what bwrap said
  std::string stderr_begins_;  // why bwrap failed, if it did
  int64_t deadline_ms_ = 0;
  std::optional<ProcessExit::End> killed_;
  std::optional<ProcessExit> end_;
};

}  // namespace perdure
