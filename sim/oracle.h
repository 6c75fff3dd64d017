#pragma once
// What happened outside, counted where it happens: every request that was written, and every time a
// receiver acted on one. It survives every crash, and nobody inside can see it.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "journal/terms.h"
#include "ports/executor.h"

namespace perdure::sim {

// What the operator's policy denies, wherever it stands in the arguments.
inline constexpr std::string_view kForbiddenArgs = R"("order":9)";

// One request of a tool call, from its start.
struct Sent {
  enum class Fate : uint8_t {
    kOpen,         // nobody knows yet, or nobody will
    kNotExecuted,  // its sender was told for certain
    kAnswered,
  };
  TaskId task;
  StepId step;
  uint32_t attempt = 0;
  uint32_t group = 0;
  EffectClass effect = EffectClass::kOnce;
  std::string tool;
  std::string key;   // as it stood in the request
  std::string args;  // as the engine gave them
  Sha256 args_hash;
  int64_t not_after_ms = 0;
  int64_t horizon_ms = 0;
  bool written = false;
  Fate fate = Fate::kOpen;
};

struct Application {
  int64_t at_us = 0;
  std::string key;
  uint32_t attempt = 0;
};

// A response that a provider computes in the background.
struct Background {
  int64_t ready_us = 0;
  bool fails = false;
  bool told = false;  // what became of it reached a process that lived
};

using Position = std::pair<TaskId, StepId>;

struct Oracle {
  std::map<Position, std::vector<Sent>> sends;
  std::map<Position, std::vector<Application>> applied;
  std::map<std::string, std::pair<Position, uint32_t>> keys;  // who used it, for which group
  std::map<Position, std::vector<std::string>> deduplicated;
  std::map<std::string, int64_t> model_answers;   // by the task's tag: what a provider would bill
  std::map<std::string, uint64_t> model_written;  // requests, by the same
  std::map<std::string, Background> background;   // by the provider's id

  size_t times_applied(const Position& position) const {
    const auto found = applied.find(position);
    return found == applied.end() ? 0 : found->second.size();
  }
};

}  // namespace perdure::sim
