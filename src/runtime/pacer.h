#pragma once
// How fast calls may go out that share a provider's limit, and whose turn it is. Nothing is held
// back until the provider says that it is too much. Then calls go out one by one, about as fast as
// they were answered until then, one of each tenant round and round; later it is tried whether they
// may go faster. In memory: after a restart the provider says it again.
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <utility>

#include "base/id.h"
#include "base/turns.h"
#include "journal/terms.h"
#include "ports/clock.h"
#include "ports/timers.h"

namespace perdure::runtime {

// Thread-safe.
class Pacer {
 public:
  // Without timers no call waits here: it is told when to come again.
  Pacer(Clock& clock, Timers* timers);

  using Position = std::pair<TaskId, StepId>;
  struct Call {
    std::string tenant;
    Position position;
    std::function<void()> go;                         // it is to be sent now
    std::function<void(int64_t wait_ms)> come_again;  // it is not sent, and may come after that
  };
  // Calls one of the two, once, on any thread: at once or, of a call whose turn comes within
  // kHoldMs, then.
  void enter(const std::string& limit, Call call);
  // No call goes out from here any more, and none is about to when this returns: those that wait
  // are forgotten, as a crash would. Not from inside `go`.
  void stop();
  // A call that waits here is told to come again at once; false if there is none.
  bool leave(const Position& position);
  // What became of a call that was sent at `sent_ms` (now_ms): it was too much, and is to wait; or
  // it was answered.
  void refused(const std::string& limit, int64_t sent_ms, int64_t wait_ms);
  void answered(const std::string& limit, int64_t sent_ms);

  int64_t now_ms();  // of a clock that nobody sets

  static constexpr int64_t kHoldMs = 2'000;
  static constexpr size_t kHeldOfTenant = 8;

 private:
  struct Limit {
    bool paced = false;
    int64_t next_ms = 0;           // before it no call goes out
    double gap_ms = 0;             // between two
    int64_t refused_ms = 0;        // when that was heard last
    std::deque<int64_t> answered;  // when the newest answers came, kCounted at most
    Turns<Call> held;
    uint64_t timer = 0;                      // for the next of `held`; 0: none
    std::map<std::string, int64_t> told_ms;  // by tenant: when the last one was told to come again
  };
  struct State;
  std::shared_ptr<State> state_;  // timers may call when this is gone
};

}  // namespace perdure::runtime
