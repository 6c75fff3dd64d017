#pragma once
// Draws random operations on a store from a seed, and remembers what it wrote, so that most of them
// succeed and every kind of refusal still happens.
#include <cstdint>
#include <map>
#include <random>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "ports/store.h"

namespace perdure::store_test {

// What an operation turned out to be. Each must be met before a run may end.
enum class Met : uint8_t {
  kTaskCreated,
  kFrameAppended,
  kManyFramesInOneCommit,
  kTaskRowReplaced,
  kTimerSet,
  kTimerMoved,
  kTimerCleared,
  kTimerClearedAndSet,
  kInterruptOpened,
  kInterruptReplaced,
  kInterruptClosed,
  kIdempotencyStored,
  kCommitWithoutFrames,
  kReopened,
  kRefusedGap,
  kRefusedOldHead,
  kRefusedUnknownTask,
  kRefusedEpoch,
  kRefusedKeyTaken,
  kRefusedKeyTwice,
  kRefusedSeveral,
  kRestCommittedAgain,
  kContainsYes,
  kContainsNo,
  kPageOfTasks,
  kPageOfFrames,
  kPageOfInterrupts,
  kInterruptsOfPerson,
  kTasksOfLabel,
  kPageOfTimers,
  kPageOfRunnable,
  kPageOfAllFrames,
  kIdempotencyFound,
  kRowKept,
  kKeptRowReplaced,
  kKeptRowRemoved,
  kPageOfKeptRows,
  kLast,
};
std::string_view name_of(Met met);

class RandomWorld {
 public:
  explicit RandomWorld(uint64_t seed) : random_(seed) {}

  struct Draw {
    Batch batch;
    std::vector<Met> if_durable;
    std::vector<Met> if_refused;
  };
  Draw draw(Epoch epoch);
  // After the batch of a draw, or a part of it, was committed.
  void remember(const Batch& committed);
  // What is left of a batch without the tasks that were refused.
  static Batch without(const Batch& batch, const std::vector<TaskId>& refused);

  uint64_t below(uint64_t bound) { return random_() % bound; }
  bool one_in(uint64_t chances) { return below(chances) == 0; }
  TaskId any_task();
  std::string any_tenant();
  std::string any_person();
  IdempotencyRow any_key();
  const Frame* any_frame();

 private:
  struct Task {
    TaskRow row;
    Frame last;
  };

  void create(Draw& draw, Epoch epoch);
  void append(Draw& draw, Epoch epoch, Task& task);
  void spoil(Draw& draw);
  void touch(Draw& draw, const Task& task);
  void timers(Draw& draw, const TaskId& task);
  void interrupts(Draw& draw, const Task& task);
  void keep(Draw& draw);
  std::string text(size_t size_max);

  std::mt19937_64 random_;
  uint64_t next_task_ = 1;
  Pos pos_ = 0;
  std::map<TaskId, Task> tasks_;
  std::vector<Frame> frames_;
  std::map<std::pair<TaskId, TimerId>, int64_t> timers_;
  std::map<InterruptId, InterruptRow> interrupts_;
  std::vector<IdempotencyRow> keys_;
  std::set<std::pair<std::string, std::string>> kept_;
  std::set<TaskId> ended_;
};

}  // namespace perdure::store_test
