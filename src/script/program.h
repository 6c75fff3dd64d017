#pragma once
// A script, compiled: a flat list of operations. A repeat is an Enter, its body, and a Loop. The
// last operation completes with null, for a script that does not end before.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "base/json.h"
#include "journal/command.h"

namespace perdure::script {

inline constexpr size_t kItemsMax = 10'000;
inline constexpr int64_t kRepeatMax = 1'000'000;
// A turn that would do more goes on in another one.
inline constexpr size_t kTurnActionsMax = 500;
inline constexpr size_t kTurnOperationsMax = 10'000;

struct Name {
  std::string text;
  bool local = false;  // of the repeat's body: each iteration has its own

  std::string in(int64_t iteration) const {
    return local ? text + '/' + std::to_string(iteration) : text;
  }
};

// A JSON value in which {"$result": step} stands for a result.
struct Template {
  struct Use {
    Name step;
    size_t times = 0;
  };
  json::value value;
  std::map<std::string, Use> steps;  // by the name as written
  Payload fixed;                     // the bytes, if it names no step
};

struct Condition {
  enum class Op : uint8_t { kStep, kNot, kAll, kAny };
  Op op = Op::kStep;
  Name step;
  std::string outcome;
  std::optional<std::string> equals;  // canonical JSON
  std::string at;
  std::vector<Condition> of;
};

struct AwaitName {
  Await::Op op = Await::Op::kNews;
  Name name;
  std::vector<AwaitName> of;
};

struct Call {
  Name step;
  CallKind kind = CallKind::kTool;
  std::string name;
  ExecutedBy executed_by = ExecutedBy::kEngine;
  Outcome outcome = Outcome::kSucceeded;
  Template args;
  std::optional<Template> result;
};
struct Timer {
  Name timer;
  int64_t after_ms = 0;
  int64_t at_ms = 0;
};
struct Note {
  Template note;
};
struct Wait {
  AwaitName what;
};
struct Complete {
  Template result;
};
struct Fail {
  std::string message;
};
struct Enter {};
struct Loop {
  size_t first = 0;
  int64_t count = 0;
};

struct Operation {
  std::optional<Condition> only_if;
  size_t otherwise = 0;      // where to go on if that is false
  size_t repeat = SIZE_MAX;  // whose body this is in
  std::variant<Call, Timer, Note, Wait, Complete, Fail, Enter, Loop> action;
};

// The last operation that asks about a step, and the last that reads its result.
struct Mention {
  std::optional<size_t> outcome;
  std::optional<size_t> result;
};
using Mentions = std::unordered_map<std::string, Mention>;

struct Program {
  bool guarded = false;
  std::vector<Operation> operations;
  Mentions mentions;                     // by full name
  std::map<size_t, Mentions> in_repeat;  // by the name without its suffix

  // Whether the operations from `at` on, in this iteration, ask about the step. `full` may be any
  // step of the task.
  struct Need {
    bool outcome = false;
    bool result = false;  // and then `outcome`
  };
  Need need(std::string_view full, size_t at, int64_t iteration) const;
};

}  // namespace perdure::script
