#include "script/mentions.h"

#include "script/names.h"

namespace perdure::script {
namespace {

// Which steps each operation asks about. A repeat's body is run again, so what it asks about from
// outside is needed until its Loop.
class MentionFinder {
 public:
  explicit MentionFinder(Program& program) : program_(program) {}

  void run() {
    for (size_t at = program_.operations.size(); at-- > 0;) {
      const Operation& operation = program_.operations[at];
      if (std::holds_alternative<Loop>(operation.action)) loop_ = at;
      at_ = at;
      in_repeat_ = operation.repeat;
      if (operation.only_if) add(*operation.only_if);
      if (const auto* call = std::get_if<Call>(&operation.action)) {
        add(call->args);
        if (call->result) add(*call->result);
      } else if (const auto* note = std::get_if<Note>(&operation.action)) {
        add(note->note);
      } else if (const auto* end = std::get_if<Complete>(&operation.action)) {
        add(end->result);
      }
    }
  }

 private:
  void add(const Condition& condition) {
    for (const Condition& part : condition.of) add(part);
    if (condition.op == Condition::Op::kStep) add(condition.step, condition.equals.has_value());
  }
  void add(const Template& value) {
    for (const auto& [text, use] : value.steps) add(use.step, true);
  }
  // Walks backwards, so the first mention that is found is the last.
  void add(const Name& step, bool result) {
    const bool body = in_repeat_ != SIZE_MAX;
    Mention& mention =
        step.local ? program_.in_repeat[in_repeat_][step.text] : program_.mentions[step.text];
    const size_t until = body && !step.local ? loop_ : at_;
    if (!mention.outcome) mention.outcome = until;
    if (result && !mention.result) mention.result = until;
  }

  Program& program_;
  size_t at_ = 0;
  size_t loop_ = 0;
  size_t in_repeat_ = SIZE_MAX;
};

}  // namespace

void find_mentions(Program& program) {
  MentionFinder(program).run();
}

Program::Need Program::need(std::string_view full, size_t at, int64_t iteration) const {
  Need need;
  const auto look_in = [&](const Mentions& in, std::string_view name) {
    const auto found = in.find(std::string(name));
    if (found == in.end()) return;
    need.outcome |= found->second.outcome.value_or(0) >= at && found->second.outcome;
    need.result |= found->second.result.value_or(0) >= at && found->second.result;
  };
  look_in(mentions, full);
  const auto body = in_repeat.find(operations[at].repeat);
  const auto split = split_iteration(full);
  if (body != in_repeat.end() && split && split->second == static_cast<uint64_t>(iteration)) {
    look_in(body->second, split->first);
  }
  return need;
}

}  // namespace perdure::script
