#pragma once
// One application of a command: the records it appends (each evolved into the state at once, so
// that the next decision sees it) and the effects it asks for.
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/task.h"
#include "journal/effect.h"

namespace perdure::core {

class Draft {
 public:
  Draft(Task& task, int64_t now_ms, const PeopleRules& people, std::string_view secret)
      : task_(task), now_ms_(now_ms), people_(people), secret_(secret) {}

  const TaskState& state() const { return task_.state; }
  OpenPlan& plan() { return task_.plan; }
  bool& recovered() { return task_.recovered; }
  int64_t now_ms() const { return now_ms_; }
  const PeopleRules& people() const { return people_; }
  std::string_view secret() const { return secret_; }

  // The sequence number of the record. Asserts that the record is possible: the handlers check
  // before.
  Seq append(RecordBody body);
  void emit(Effect effect) { applied_.effects.push_back(std::move(effect)); }

  void accept(bool repeated = false) { applied_.reply = Accepted{repeated, state().head}; }
  void accept_question(Seq asked) { applied_.reply = Accepted{false, state().head, asked}; }
  void refuse(Code code, std::string message) { applied_.reply = fail(code, std::move(message)); }
  bool refused() const { return !applied_.reply.has_value(); }

  Applied finish() && { return std::move(applied_); }

 private:
  Task& task_;
  const int64_t now_ms_;
  const PeopleRules& people_;
  const std::string_view secret_;
  Applied applied_;
};

}  // namespace perdure::core
