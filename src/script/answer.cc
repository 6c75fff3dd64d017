#include <fmt/core.h>

#include "journal/answer_hash.h"
#include "journal/turn_json.h"
#include "script/script.h"
#include "script/state.h"

namespace perdure {
namespace script {
namespace {

bool holds(const Condition& condition, const State& state) {
  switch (condition.op) {
    case Condition::Op::kNot:
      return !holds(condition.of.front(), state);
    case Condition::Op::kAll:
      for (const Condition& part : condition.of) {
        if (!holds(part, state)) return false;
      }
      return true;
    case Condition::Op::kAny:
      for (const Condition& part : condition.of) {
        if (holds(part, state)) return true;
      }
      return false;
    case Condition::Op::kStep:
      break;
  }
  const std::string step = condition.step.in(state.iteration);
  const std::string* outcome = state.outcome(step);
  if (outcome == nullptr || *outcome != condition.outcome) return false;
  if (!condition.equals) return true;
  const auto found = find_pointer(state.result(step), condition.at);
  return found && *found != nullptr && to_canonical_json(**found) == *condition.equals;
}

json::value fill(const json::value& value, const Template& in, const State& state) {
  if (const auto* array = value.if_array()) {
    json::array filled;
    filled.reserve(array->size());
    for (const json::value& item : *array) filled.push_back(fill(item, in, state));
    return filled;
  }
  const auto* object = value.if_object();
  if (object == nullptr) return value;
  if (const json::value* step = object->if_contains("$result")) {
    const Name& name = in.steps.at(std::string(step->get_string())).step;
    return state.result(name.in(state.iteration));
  }
  json::object filled;
  filled.reserve(object->size());
  for (const auto& member : *object) {
    filled.emplace(member.key(), fill(member.value(), in, state));
  }
  return filled;
}

Await named(const AwaitName& await, int64_t iteration) {
  Await out{await.op, await.name.in(iteration), {}};
  out.of.reserve(await.of.size());
  for (const AwaitName& part : await.of) out.of.push_back(named(part, iteration));
  return out;
}

bool adds_action(const Operation& operation) {
  return !std::holds_alternative<Wait>(operation.action) &&
         !std::holds_alternative<Enter>(operation.action) &&
         !std::holds_alternative<Loop>(operation.action);
}

// One turn: from the state's operation to an await, an end, or the bounds of a turn.
class Run {
 public:
  Run(const Program& program, State& state, AnswerTurn& out)
      : program_(program), state_(state), out_(out) {}

  Status run() {
    for (size_t done = 0; !over_; ++done) {
      const Operation& operation = program_.operations[state_.at];
      const bool full = out_.actions.size() >= kTurnActionsMax && adds_action(operation);
      if (full || done >= kTurnOperationsMax) {
        out_.more = true;
        return {};
      }
      if (operation.only_if && !holds(*operation.only_if, state_)) {
        state_.at = operation.otherwise;
        continue;
      }
      ++state_.at;
      std::visit([this](const auto& action) { perform(action); }, operation.action);
      if (payload_bytes_ > kTurnPayloadMaxBytes) {
        return fail(Code::kTooLarge, fmt::format("the payloads of a turn are at most {} bytes",
                                                 kTurnPayloadMaxBytes));
      }
    }
    return {};
  }

 private:
  void perform(const Call& call) {
    CallAction action;
    action.step = call.step.in(state_.iteration);
    action.kind = call.kind;
    action.name = call.name;
    action.executed_by = call.executed_by;
    action.args = make(call.args);
    action.outcome = call.outcome;
    if (call.result) action.result = make(*call.result);
    out_.actions.emplace_back(std::move(action));
  }
  void perform(const Timer& timer) {
    out_.actions.emplace_back(
        TimerAction{timer.timer.in(state_.iteration), timer.after_ms, timer.at_ms});
  }
  void perform(const Note& note) { out_.actions.emplace_back(NoteAction{make(note.note)}); }
  void perform(const Wait& wait) {
    out_.await = named(wait.what, state_.iteration);
    over_ = true;
  }
  void perform(const Complete& complete) {
    end(CompleteAction{make(complete.result), StopReason::kEndTurn});
  }
  void perform(const Fail& failure) { end(FailAction{StopReason::kError, failure.message}); }
  void perform(const Enter&) { state_.iteration = 0; }
  void perform(const Loop& loop) {
    if (++state_.iteration < loop.count) {
      state_.at = loop.first;
    } else {
      state_.iteration = 0;
    }
  }

  void end(Action action) {
    out_.actions.push_back(std::move(action));
    state_.at = program_.operations.size() - 1;
    state_.iteration = 0;
    over_ = true;
  }

  Payload make(const Template& value) {
    if (value.steps.empty()) {
      payload_bytes_ += value.fixed.size_bytes;
      return value.fixed;
    }
    // Counted before it is built: a short script can name a long result very often.
    size_t results_bytes = 0;
    for (const auto& [text, use] : value.steps) {
      const json::value& result = state_.result(use.step.in(state_.iteration));
      results_bytes += use.times * to_canonical_json(result).size();
    }
    payload_bytes_ += results_bytes;
    if (payload_bytes_ > kTurnPayloadMaxBytes) return {};
    Payload made = Payload::of(to_canonical_json(fill(value.value, value, state_)));
    payload_bytes_ += made.size_bytes - results_bytes;
    return made;
  }

  const Program& program_;
  State& state_;
  AnswerTurn& out_;
  size_t payload_bytes_ = 0;
  bool over_ = false;
};

}  // namespace
}  // namespace script

Result<AnswerTurn> answer(const Script& script, uint64_t turn, Seq upto_seq, const Payload& state,
                          std::span<const Record> news, Seq after_seq) {
  const script::Program& program = script.program();
  TRY_ASSIGN(script::State now, script::State::read(state, program));
  for (const Record& record : news) {
    if (record.seq <= after_seq || record.seq > upto_seq) continue;
    TRY_STATUS(now.see(program, record));
  }
  AnswerTurn out;
  out.turn = turn;
  out.upto_seq = upto_seq;
  out.planner_version = kScriptVersion;
  out.guarded = program.guarded;
  TRY_STATUS(script::Run(program, now, out).run());
  out.state = Payload::of(now.write(program));
  out.answer_hash = hash_answer(out);
  return out;
}

}  // namespace perdure
