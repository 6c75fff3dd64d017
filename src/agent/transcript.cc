#include "agent/transcript.h"

#include <fmt/format.h>

#include <set>

#include "agent/final_answer.h"
#include "agent/step_ids.h"
#include "base/assert.h"
#include "base/json.h"
#include "journal/message_json.h"

namespace perdure {
namespace {

constexpr std::string_view kErasedInput = "(The input was erased.)";
constexpr std::string_view kEmptyAnswer = "(The answer was empty.)";
constexpr std::string_view kNoInput = "(There is no input.)";

// What a provider's format adds around the declaration of a tool.
constexpr uint64_t kToolOverheadBytes = 32;
constexpr uint64_t kBytesPerToken = 3;

uint64_t tokens_of(uint64_t size_bytes) {
  return (size_bytes + kBytesPerToken - 1) / kBytesPerToken;
}

// A JSON string is the user's words; any other JSON is shown as it is.
std::string user_text(const Payload& input) {
  if (input.place == Payload::Place::kErased) return std::string(kErasedInput);
  const auto value = parse_json(input.view(), "input", {.size_bytes = 64u << 20});
  std::string text = !value               ? std::string(input.view())
                     : value->is_string() ? std::string(value->get_string())
                                          : to_canonical_json(*value);
  return text.empty() ? std::string(kNoInput) : text;
}

// Every request of a task begins with it.
std::string system_text(const AgentSpec& spec) {
  std::string text = spec.instructions;
  if (!spec.tells_output_schema()) return text;
  if (!text.empty()) text += "\n\n";
  return text + words_for_json(spec.output_schema);
}

// Results are matched to calls by id, so ids must be there and differ, whatever the provider sent.
void repair_ids(ModelAnswer& answer, uint64_t turn) {
  std::set<std::string> seen;
  for (const ToolCall& call : answer.calls) seen.insert(call.id);
  std::set<std::string> given;
  for (size_t i = 0; i < answer.calls.size(); ++i) {
    std::string& id = answer.calls[i].id;
    if (!id.empty() && given.insert(id).second) continue;
    id = fmt::format("call_{}_{}", turn, i);
    while (!seen.insert(id).second) id += '_';
    given.insert(id);
  }
}

}  // namespace

bool is_refusal(const ModelAnswer& answer) {
  return answer.stop == ModelAnswer::Stop::kRefusal || !answer.refusal.empty();
}

void Transcript::apply(const Record& record) {
  if (!status_ || record.seq <= seq_) return;
  if (record.seq != seq_ + 1) {
    return break_off({Code::kInternal,
                      fmt::format("the journal has a gap: record {} after {}", record.seq, seq_)});
  }
  seq_ = record.seq;
  at_ms_ = record.at_ms;
  std::visit([this](const auto& body) { on(body); }, record.body);
}

const ModelAnswer& Transcript::answer() const {
  PERDURE_ASSERT(answer_ != nullptr, "an answer stands only in the stages that say so");
  return *answer_;
}

void Transcript::on(const TaskCreated& body) {
  if (body.input.size_bytes > 0 && !body.input.bytes &&
      body.input.place != Payload::Place::kErased) {
    return break_off({Code::kUnavailable, "the bytes of the task's input are not at hand"});
  }
  conversation_.append_user(user_text(body.input));
  stage_ = Stage::kCallModel;
}

void Transcript::on(const StepPlanned& body) {
  if (body.kind == CallKind::kModel) return begin_model(body);
  Round::Call* call = round_.find_open(body.step);
  if (call == nullptr) return;
  call->planned = true;
  call->by_planner = body.executed_by == ExecutedBy::kPlanner;
  call->asks_person = body.executed_by == ExecutedBy::kPerson;
  stage_ = Stage::kToolsOpen;
  if (body.verdict != Verdict::kDeny) return;
  const std::string_view reason = body.verdict_reason;
  call->malformed = reason.starts_with(kMalformedCall);
  settle(body.step, call->malformed ? result_malformed(reason.substr(kMalformedCall.size()))
                                    : result_denied(reason));
}

// An answer that is a refusal may be asked of another model: then it counts as a failure of the
// first.
void Transcript::begin_model(const StepPlanned& body) {
  const auto turn = parse_model_step(body.step);
  if (turn && stage_ == Stage::kAnswered && is_refusal(*answer_)) refuse_answer();
  if (!turn || (stage_ != Stage::kCallModel && stage_ != Stage::kModelFailed)) {
    return break_off({Code::kConflict, fmt::format("model call '{}' does not follow from the "
                                                   "conversation of an agent",
                                                   body.step)});
  }
  if (stage_ == Stage::kCallModel) failures_.clear();
  model_turn_ = *turn;
  failure_ = {};
  failure_.model = body.name;
  stage_ = Stage::kModelOpen;
  if (body.verdict == Verdict::kDeny) fail_model(EffectState::kDenied, body.verdict_reason);
}

void Transcript::refuse_answer() {
  failure_.failure = FailureClass::kRefusal;
  fail_model(EffectState::kFailed, answer_->refusal.empty() ? answer_->text : answer_->refusal);
  answer_.reset();
  round_.drop();
}

// The tool `wait` is a timer under the name of its call.
void Transcript::on(const TimerSet& body) {
  Round::Call* call =
      body.purpose == TimerPurpose::kPlanner ? round_.find_open(body.timer) : nullptr;
  if (call == nullptr) return;
  call->planned = true;
  stage_ = Stage::kToolsOpen;
}

void Transcript::on(const TimerFired& body) {
  const Round::Call* call =
      body.purpose == TimerPurpose::kPlanner ? round_.find_open(body.timer) : nullptr;
  if (call != nullptr && call->planned) settle(body.timer, result_waited(at_ms_));
}

void Transcript::on(const Noted& body) {
  auto tell = tell_of(body.note);
  if (!tell) return break_off(std::move(tell).error());
  if (!*tell) return;
  if (stage_ == Stage::kAnswered && !round_.has_calls()) close_final_answer();
  if (stage_ != Stage::kCallModel) return;
  conversation_.append_user((*tell)->text);
  watch_.forget();
  ++told_[static_cast<size_t>((*tell)->why)];
}

// An answer without calls that does not end the task.
void Transcript::close_final_answer() {
  if (answer_->text.empty() && answer_->raw.dialect.empty()) {
    ModelAnswer said = *answer_;
    said.text = kEmptyAnswer;
    answer_ = std::make_shared<const ModelAnswer>(std::move(said));
  }
  const bool malformed = answer_->stop == ModelAnswer::Stop::kMalformedCall;
  malformed_answers_ = malformed ? malformed_answers_ + 1 : 0;
  conversation_.append_round(std::move(answer_), {});
  answer_.reset();
  paused_text_.clear();
  stage_ = Stage::kCallModel;
}

void Transcript::on(const StepSettled& body) {
  if (is_open_model(body.step)) return settle_model(body);
  if (round_.find_open(body.step) == nullptr) return;
  if (body.outcome == Outcome::kSucceeded)
    settle(body.step, result_of_success(body.result, results_.as_text));
  if (body.outcome == Outcome::kFailed) {
    settle(body.step, result_of_failure(body.detail, body.result, results_.as_text));
  }
}

void Transcript::settle_model(const StepSettled& body) {
  if (body.outcome == Outcome::kSucceeded) return take_answer(body.result);
  // An outcome that is sent again is a passing one, even if nobody gave it a class.
  const FailureClass passing =
      body.outcome == Outcome::kInDoubt ? FailureClass::kAmbiguous : FailureClass::kTransient;
  const bool unnamed = body.failure == FailureClass::kNone && body.outcome != Outcome::kFailed;
  failure_.failure = unnamed ? passing : body.failure;
  failure_.detail = body.detail;
  failure_.attempts = body.attempt;
  if (body.outcome == Outcome::kFailed) fail_model(EffectState::kFailed, body.detail);
}

void Transcript::on(const StepClosed& body) {
  if (is_open_model(body.step)) {
    if (!is_terminal(body.state)) return;
    // That it was given up does not say why.
    const std::string& seen = failure_.detail;
    fail_model(body.state, seen.empty() ? body.reason : body.reason + "; last: " + seen);
    return;
  }
  Round::Call* call = round_.find_open(body.step);
  if (call == nullptr || !is_terminal(body.state)) return;
  if (!body.same_as.empty()) {
    call->same_as = body.same_as;
    return close_round_if_settled();
  }
  switch (body.state) {
    case EffectState::kDenied:
      return settle(body.step, result_denied(body.reason));
    case EffectState::kSucceeded:
      return settle(body.step, result_of_success({}, false));
    case EffectState::kFailed:
      return settle(body.step, result_of_failure(body.reason, {}, false));
    default:
      return settle(body.step, result_unknown(body.reason));
  }
}

void Transcript::on(const InterruptRequested& body) {
  const bool of_task = body.reason == InterruptReason::kLoopDetected ||
                       body.reason == InterruptReason::kAuthRequired;
  if (!body.step.empty() || of_task) questions_[seq_] = {body.reason, body.step};
}

void Transcript::on(const InterruptResolved& body) {
  const auto found = questions_.find(body.interrupt_seq);
  if (found == questions_.end()) return;
  const Question question = std::move(found->second);
  questions_.erase(found);
  if (question.reason == InterruptReason::kLoopDetected) return go_on_after_loop(body);
  if (question.reason == InterruptReason::kAuthRequired) return ask_models_anew(body);
  const bool doubt = question.reason == InterruptReason::kUncertainOutcome;
  const bool refused =
      question.reason == InterruptReason::kToolApproval && body.decision == Decision::kReject;
  const bool of_call = question.reason == InterruptReason::kToolApproval ||
                       question.reason == InterruptReason::kPossibleDuplicate;
  if (is_open_model(question.step)) {
    if (refused) return fail_model(EffectState::kDenied, body.message);
    if (doubt && body.decision == Decision::kHappened) return take_answer(body.given);
    if (doubt && body.decision == Decision::kNotHappened) {
      return fail_model(EffectState::kFailed, body.message);
    }
    if (doubt && body.decision == Decision::kDismiss) {
      return fail_model(EffectState::kUnknown, body.message);
    }
    return;
  }
  Round::Call* call = round_.find_open(question.step);
  if (call == nullptr) return;
  if (refused) {
    return settle(question.step, body.expired ? result_expired() : result_refused(body.message));
  }
  if (of_call && body.decision == Decision::kEdit) call->edited = body.given;
  if (of_call && body.decision == Decision::kRespond) {
    return settle(question.step, result_answered(body.given));
  }
  if (call->asks_person) return settle_question(question.step, body);
  if (!doubt) return;
  if (body.decision == Decision::kHappened) {
    settle(question.step, result_asserted_done(body.given));
  } else if (body.decision == Decision::kNotHappened) {
    settle(question.step, result_asserted_not_done(body.message));
  } else if (body.decision == Decision::kDismiss) {
    settle(question.step, result_unknown(body.message));
  }
}

// Whoever lets it go on may say how. Then circles are counted anew.
void Transcript::go_on_after_loop(const InterruptResolved& body) {
  if (body.decision != Decision::kApprove) return;
  watch_.forget();
  told_[static_cast<size_t>(Tell::Why::kLoop)] = 0;
  if (body.message.empty()) return;
  if (stage_ == Stage::kAnswered && !round_.has_calls()) close_final_answer();
  if (stage_ != Stage::kCallModel) return;
  conversation_.append_user("A person who has looked at what you do says: " + body.message);
}

// Somebody has mended what kept the models from answering.
void Transcript::ask_models_anew(const InterruptResolved& body) {
  if (body.decision != Decision::kApprove) return;
  if (stage_ == Stage::kAnswered && is_refusal(*answer_)) refuse_answer();
  if (stage_ == Stage::kModelFailed) stage_ = Stage::kCallModel;
}

// The call was a question itself. One that was withdrawn is closed in its turn.
void Transcript::settle_question(const StepId& step, const InterruptResolved& body) {
  if (body.decision == Decision::kRespond) settle(step, result_answered(body.given));
  if (body.decision == Decision::kReject) {
    settle(step, result_unanswered(body.message, body.expired));
  }
}

bool Transcript::is_open_model(const StepId& step) const {
  return stage_ == Stage::kModelOpen && step == model_step_id(model_turn_);
}

void Transcript::take_answer(const Payload& result) {
  if (result.place == Payload::Place::kErased || (result.size_bytes > 0 && !result.bytes)) {
    return break_off(
        {result.place == Payload::Place::kErased ? Code::kNotFound : Code::kUnavailable,
         fmt::format("the model's answer of step {} is {}", model_step_id(model_turn_),
                     result.place == Payload::Place::kErased ? "erased" : "not at hand")});
  }
  auto answer = answer_from_json(result.view());
  if (!answer) {
    failure_.failure = FailureClass::kMalformedOutput;
    return fail_model(EffectState::kFailed, answer.error().message);
  }
  repair_ids(*answer, model_turn_);
  counted_tokens_ = answer->input_tokens;
  counted_bytes_ = size_bytes();
  round_.open(model_turn_, answer->calls.size());
  if (!is_refusal(*answer)) answered_by_ = failure_.model;
  const bool paused = answer->stop == ModelAnswer::Stop::kPaused && answer->calls.empty();
  paused_answers_ = paused ? paused_answers_ + 1 : 0;
  if (paused) paused_text_ += answer->text;
  answer_ = std::make_shared<const ModelAnswer>(*std::move(answer));
  stage_ = Stage::kAnswered;
  // Its provider goes on from there when it gets it back unchanged.
  if (paused) close_round_if_settled();
}

void Transcript::fail_model(EffectState state, std::string_view detail) {
  failure_.state = state;
  if (!detail.empty()) failure_.detail = detail;
  failures_.push_back(failure_);
  stage_ = Stage::kModelFailed;
}

void Transcript::settle(const StepId& step, Result<ToolResult> result) {
  if (!result) return break_off(std::move(result).error());
  round_.settle(step, *std::move(result), results_);
  close_round_if_settled();
}

void Transcript::close_round_if_settled() {
  if (!round_.is_settled()) return;
  malformed_answers_ = round_.is_malformed() ? malformed_answers_ + 1 : 0;
  if (round_.has_calls()) paused_text_.clear();
  const std::vector<ToolResult> told = round_.close();
  watch_.add(answer_->calls, told);
  conversation_.append_round(std::move(answer_), told);
  answer_.reset();
  stage_ = Stage::kCallModel;
}

void Transcript::break_off(Error error) {
  status_ = tl::unexpected(std::move(error));
}

ModelRequest Transcript::request(const AgentSpec& spec) const {
  ModelRequest request;
  request.tools = spec.tools;
  request.max_output_tokens = spec.max_output_tokens;
  if (std::string text = system_text(spec); !text.empty()) {
    Message& system = request.messages.emplace_back();
    system.role = Message::Role::kSystem;
    system.text = std::move(text);
  }
  conversation_.write_to(request.messages);
  return request;
}

int64_t Transcript::input_tokens_estimate(const AgentSpec& spec) const {
  if (counted_tokens_ >= 0) {
    return counted_tokens_ + static_cast<int64_t>(tokens_of(size_bytes() - counted_bytes_));
  }
  uint64_t bytes = size_bytes() + system_text(spec).size();
  for (const ToolDeclaration& tool : spec.tools) {
    bytes +=
        tool.name.size() + tool.description.size() + tool.input_schema.size() + kToolOverheadBytes;
  }
  return static_cast<int64_t>(tokens_of(bytes));
}

}  // namespace perdure
