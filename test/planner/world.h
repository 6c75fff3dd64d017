#pragma once
// What could be recorded between the turns of a task: outcomes, refusals, people's decisions, in
// any order and at any time. Not an engine: it only makes news that a planner must understand.
#include <random>
#include <string>
#include <vector>

#include "journal/command.h"
#include "journal/record.h"

namespace perdure {

class World {
 public:
  explicit World(uint64_t seed) : random_(seed) {}

  // Records the turn, and some of what comes of the calls so far.
  void accept(const AnswerTurn& turn);

  const std::vector<Record>& records() const { return records_; }
  Seq head() const { return records_.size(); }

 private:
  void record(RecordBody body);
  void plan(const CallAction& call);
  void end_some();
  void end(const StepId& step);
  void settle(const StepId& step, Outcome outcome, Payload result);
  void doubt(const StepId& step);
  Payload any_result();
  uint64_t below(uint64_t bound) { return random_() % bound; }

  std::mt19937_64 random_;
  std::vector<Record> records_{{1, 0, TaskCreated{}}};
  std::vector<StepId> open_;
  std::vector<StepId> ended_;
};

// A script that parses, with every construct of the language in it sooner or later.
std::string random_script(std::mt19937_64& random);

}  // namespace perdure
