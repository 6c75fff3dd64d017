#pragma once
// A planner that plans at random: calls of every class, timers, notes, waits, ends; and, as knobs
// say, answers that are malformed, late, repeated, stale, contradictory, or none.
#include <string>

#include "ports/planner.h"

namespace perdure::sim {

class World;

class WildPlanner : public Planner {
 public:
  explicit WildPlanner(World& world) : world_(world) {}
  bool in_process() const override;
  void plan(PlanRequest request, Done done) override;

 private:
  // What it remembers of a task is in the planner state that the journal keeps.
  struct Memory {
    uint64_t turns = 0;
    uint64_t steps = 0;
    uint64_t timers = 0;
  };
  static Memory memory_of(const Payload& state);

  void check(const PlanRequest& request);
  AnswerTurn decide(const PlanRequest& request);
  void add_actions(AnswerTurn& turn, Memory& memory, const std::string& tag, const TaskId& task);
  CallAction call(Memory& memory, const std::string& tag);
  Await await(const std::vector<Await>& fresh);
  void spoil(AnswerTurn& turn);
  void answer(const PlanRequest& request, AnswerTurn turn, const Done& done);

  World& world_;
};

}  // namespace perdure::sim
