#include "agent/loop.h"

#include <fmt/core.h>

#include "agent/step_ids.h"
#include "base/json.h"
#include "base/text.h"

namespace perdure {
namespace {

constexpr size_t kQuotedMaxBytes = 1000;
constexpr size_t kProblemsMaxBytes = 2000;

void fail_task(AnswerTurn& out, StopReason reason, std::string message) {
  out.actions.emplace_back(FailAction{reason, std::move(message)});
}

// Why a call cannot be made, or nothing.
std::optional<std::string> malformed(const AgentSpec& spec, const ToolCall& call) {
  if (spec.find_tool(call.name) == nullptr) {
    std::vector<std::string> names;
    for (const ToolDeclaration& tool : spec.tools) names.push_back(tool.name);
    const auto nearest = nearest_word(beginning(call.name, kNameMaxBytes), names);
    return fmt::format("there is no tool '{}'{}", beginning(call.name, kNameMaxBytes),
                       nearest ? fmt::format("; did you mean '{}'?", *nearest) : "");
  }
  // Some models send nothing for a call without arguments.
  const auto value = parse_json(call.arguments.empty() ? "{}" : call.arguments, "arguments");
  if (!value) return std::string(beginning(value.error().message, kQuotedMaxBytes));
  if (!value->is_object()) return "the arguments are not a JSON object";
  const auto schema = spec.input_schemas.find(call.name);
  if (schema == spec.input_schemas.end()) return std::nullopt;
  const auto problems = schema->second.check(*value);
  if (!problems) return fmt::format("the arguments {}", problems.error().message);
  if (problems->empty()) return std::nullopt;
  return fmt::format("the arguments do not fit the input schema of '{}':\n{}", call.name,
                     beginning(in_words(*problems, "the arguments"), kProblemsMaxBytes));
}

CallAction tool_call(const AgentSpec& spec, const ToolCall& call, StepId step) {
  CallAction action;
  action.step = std::move(step);
  action.kind = CallKind::kTool;
  action.name = beginning(call.name, kNameMaxBytes);
  if (action.name.empty()) action.name = "unnamed";
  action.args = Payload::of(call.arguments.empty() ? "{}" : call.arguments);
  action.reserve.tool_calls = 1;
  if (const auto reason = malformed(spec, call)) {
    action.verdict = Verdict::kDeny;
    action.verdict_reason = fmt::format("{}{}", kMalformedCall, *reason);
  }
  return action;
}

void call_model(const AgentSpec& spec, const Transcript& transcript, const ModelPrice& price,
                AnswerTurn& out) {
  CallAction action;
  action.step = model_step_id(out.turn);
  action.kind = CallKind::kModel;
  action.name = spec.models.front();
  action.args = Payload::of(to_canonical_json(json::object{
      {"context_seq", out.upto_seq},
      {"conversation_sha256", to_hex(transcript.conversation_hash().view())},
      {"max_output_tokens", spec.max_output_tokens},
  }));
  action.reserve =
      reserve_model_call(transcript.input_tokens_estimate(spec), spec.max_output_tokens, price);
  out.await = {.op = Await::Op::kStep, .name = action.step, .of = {}};
  out.actions.emplace_back(std::move(action));
}

void call_tools(const AgentSpec& spec, const Transcript& transcript, AnswerTurn& out) {
  const std::vector<ToolCall>& calls = transcript.answer().calls;
  if (calls.size() > kActionsMax) {
    return fail_task(out, StopReason::kError,
                     fmt::format("the model asked for {} calls in one answer; at most {} are made",
                                 calls.size(), kActionsMax));
  }
  out.guarded = true;
  out.await.op = Await::Op::kAll;
  for (size_t i = 0; i < calls.size(); ++i) {
    CallAction action = tool_call(spec, calls[i], tool_step_id(transcript.answer_turn(), i));
    out.await.of.push_back({.op = Await::Op::kStep, .name = action.step, .of = {}});
    out.actions.emplace_back(std::move(action));
  }
}

// Calls the model, unless it has gone in circles for too long.
void ask_again(const AgentSpec& spec, const Transcript& transcript, const ModelPrice& price,
               AnswerTurn& out) {
  if (transcript.malformed_answers() >= kMalformedAnswersMax) {
    return fail_task(
        out, StopReason::kError,
        fmt::format("none of the calls in {} answers of the model in a row could be read",
                    transcript.malformed_answers()));
  }
  if (transcript.paused_answers() >= kPausedAnswersMax) {
    return fail_task(out, StopReason::kError,
                     fmt::format("the provider paused {} answers in a row and never ended one",
                                 transcript.paused_answers()));
  }
  call_model(spec, transcript, price, out);
}

void act_on_answer(const AgentSpec& spec, const Transcript& transcript, AnswerTurn& out) {
  const ModelAnswer& answer = transcript.answer();
  if (answer.stop == ModelAnswer::Stop::kRefusal || !answer.refusal.empty()) {
    const std::string_view words = answer.refusal.empty() ? answer.text : answer.refusal;
    return fail_task(out, StopReason::kRefusal,
                     fmt::format("the model refused: {}", beginning(words, kQuotedMaxBytes)));
  }
  // The arguments of a call in it may be cut, and still be JSON.
  if (answer.stop == ModelAnswer::Stop::kTruncated) {
    return fail_task(out, StopReason::kError,
                     fmt::format("the answer was cut at max_output_tokens = {}; raise it in the "
                                 "agent file. Calls in it were not made",
                                 spec.max_output_tokens));
  }
  if (answer.stop == ModelAnswer::Stop::kContextOverflow) {
    return fail_task(out, StopReason::kContextOverflow,
                     "the conversation fills the model's context; the answer was cut. Calls in it "
                     "were not made");
  }
  if (!answer.calls.empty()) return call_tools(spec, transcript, out);
  out.actions.emplace_back(CompleteAction{Payload::of(to_canonical_json(json::object{
                                              {"text", transcript.paused_text() + answer.text}})),
                                          StopReason::kEndTurn});
}

StopReason stop_reason_of(const Transcript::ModelFailure& failure) {
  if (failure.state == EffectState::kDenied) return StopReason::kError;
  switch (failure.failure) {
    case FailureClass::kTransient:
    case FailureClass::kRateLimit:
    case FailureClass::kAmbiguous:
      return StopReason::kRetriesExhausted;
    case FailureClass::kContextOverflow:
      return StopReason::kContextOverflow;
    case FailureClass::kRefusal:
      return StopReason::kRefusal;
    case FailureClass::kNone:
      return failure.state == EffectState::kUnknown ? StopReason::kRetriesExhausted
                                                    : StopReason::kError;
    default:
      return StopReason::kError;
  }
}

void give_up(const AgentSpec& spec, const Transcript::ModelFailure& failure, AnswerTurn& out) {
  const std::string_view how = failure.state == EffectState::kDenied ? "was denied" : "failed";
  std::string message = fmt::format("the call of model '{}' {}", spec.models.front(), how);
  if (failure.failure != FailureClass::kNone) {
    message += fmt::format(" ({})", to_string(failure.failure));
  }
  if (failure.attempts > 1) message += fmt::format(" after {} attempts", failure.attempts);
  if (!failure.detail.empty())
    message += fmt::format(": {}", beginning(failure.detail, kQuotedMaxBytes));
  fail_task(out, stop_reason_of(failure), std::move(message));
}

}  // namespace

Usage reserve_model_call(int64_t input_tokens, int64_t output_tokens, const ModelPrice& price) {
  Usage usage;
  usage.cost_micro_usd = cost_at_most(price, input_tokens, output_tokens);
  usage.model_calls = 1;
  usage.input_tokens = input_tokens;
  usage.output_tokens = output_tokens;
  return usage;
}

Result<AnswerTurn> plan_agent_turn(const AgentSpec& spec, const Transcript& transcript,
                                   uint64_t turn, Seq upto_seq, const ModelPrice& price) {
  TRY_STATUS(transcript.status());
  if (spec.models.empty()) return fail(Code::kInvalid, "the agent names no model");
  AnswerTurn out;
  out.turn = turn;
  out.upto_seq = upto_seq;
  out.planner_version = "agent/1:" + spec.version;
  switch (transcript.stage()) {
    case Transcript::Stage::kCallModel:
      ask_again(spec, transcript, price, out);
      return out;
    case Transcript::Stage::kAnswered:
      act_on_answer(spec, transcript, out);
      return out;
    case Transcript::Stage::kModelFailed:
      give_up(spec, transcript.failure(), out);
      return out;
    case Transcript::Stage::kEmpty:
    case Transcript::Stage::kModelOpen:
    case Transcript::Stage::kToolsOpen:
      break;
  }
  return fail(Code::kConflict,
              fmt::format("turn {} has nothing to answer: an outcome is awaited", turn));
}

}  // namespace perdure
