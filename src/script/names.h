#pragma once
// Which steps and timers a script defines, and what a name in it means.
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"
#include "script/program.h"

namespace perdure::script {

// "a/17" as ("a", 17); nothing if the name does not end in a plain number.
std::optional<std::pair<std::string_view, uint64_t>> split_iteration(std::string_view name);

// The names of one kind: steps, or timers.
class Names {
 public:
  // `kind` is for errors: "step".
  explicit Names(std::string kind) : kind_(std::move(kind)) {}

  // `repeat` is SIZE_MAX outside, or the index of a repeat of `count` iterations. All definitions
  // come before the first `resolve`.
  Status define(const std::string& name, size_t repeat, int64_t count, const std::string& where);
  // No name means two things: call after the last definition.
  Status check() const;
  // What `name` means in that repeat's body, or outside.
  Result<Name> resolve(const std::string& name, size_t repeat, const std::string& where) const;

 private:
  struct Local {
    size_t repeat = 0;
    int64_t count = 0;
    std::string where;
  };
  const Local* iteration(std::string_view full) const;

  std::string kind_;
  std::map<std::string, std::string> outside_;        // name -> where
  std::map<std::string, Local, std::less<>> inside_;  // without the suffix
};

}  // namespace perdure::script
