#pragma once
// Everything that can happen to a task, by chance: planners, tools, people, clocks and crashes,
// both as they behave and as they do not.
#include <random>

#include "support.h"

namespace perdure::test {

class RandomTask {
 public:
  explicit RandomTask(uint64_t seed);

  // A number of commands; ends earlier soon after the task did.
  void run(size_t commands);

  const Driver& driver() const { return driver_; }

 private:
  size_t below(size_t bound) {
    return std::uniform_int_distribution<size_t>(0, bound - 1)(random_);
  }
  bool chance(size_t percent) { return below(100) < percent; }
  template <class T>
  T any_of_enum() {
    return static_cast<T>(below(static_cast<size_t>(last_of(T{})) + 1));
  }
  int64_t number();  // small, huge or negative
  int64_t small() { return static_cast<int64_t>(below(300)); }
  StepId some_step();  // open, closed, new or strange
  TimerId some_timer();
  Usage usage();

  Limits limits();
  Contract some_contract();
  Await some_await(size_t depth);
  Action some_action();
  CallAction some_call();

  void step();  // one thing that may well happen
  void answer_plan();
  void settle_one();
  void fire_one();
  void decide_one();
  void ask_while_running();
  void nonsense();  // a command with anything in it

  std::mt19937_64 random_;
  Driver driver_;
  uint64_t names_ = 0;
};

}  // namespace perdure::test
