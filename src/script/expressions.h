#pragma once
// The parts of items that name steps: values, conditions, and what an await waits for.
#include "script/names.h"
#include "script/program.h"

namespace perdure::script {

struct Scope {
  const Names& steps;
  const Names& timers;
};

// `repeat` is the repeat whose body this is in, or SIZE_MAX. Errors begin with `where`.
Result<Template> read_template(const json::value& value, const Scope& scope, size_t repeat,
                               const std::string& where);

class ConditionReader {
 public:
  ConditionReader(const Scope& scope, size_t repeat) : scope_(scope), repeat_(repeat) {}
  Result<Condition> read(const json::value& value, const std::string& where);

 private:
  Result<Condition> read_step(const json::value& value, const std::string& where);
  Result<Condition> read_parts(Condition::Op op, const json::array& parts,
                               const std::string& where);

  const Scope& scope_;
  size_t repeat_;
};

class AwaitReader {
 public:
  AwaitReader(const Scope& scope, size_t repeat) : scope_(scope), repeat_(repeat) {}
  Result<AwaitName> read(const json::value& value, const std::string& where, size_t depth = 1);

 private:
  Result<AwaitName> read_object(const json::value& value, const std::string& where, size_t depth);

  const Scope& scope_;
  size_t repeat_;
  size_t nodes_ = 0;
};

}  // namespace perdure::script
