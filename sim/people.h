#pragma once
// Who answers questions: in time or late, twice, otherwise than before, about other arguments; and,
// when all is well again, everything.
#include <vector>

#include "base/id.h"
#include "journal/command.h"
#include "ledger.h"

namespace perdure::sim {

class World;

class People {
 public:
  explicit People(World& world) : world_(world) {}

  void begin();
  void answer_everything() { thorough_ = true; }
  void rest(bool resting) { resting_ = resting; }

 private:
  struct Given {
    TaskId task;
    Resolve decision;
  };

  void look();
  void answer(const SeenTask& task, Seq seq, const InterruptRequested& asked);
  Resolve decide(const SeenTask& task, Seq seq, const InterruptRequested& asked);
  void say_again();
  void give(const TaskId& task, const Resolve& decision, InterruptReason reason);

  World& world_;
  std::vector<Given> given_;
  bool thorough_ = false;
  bool resting_ = false;
};

}  // namespace perdure::sim
