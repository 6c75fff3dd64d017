#include "agent/loop.h"

#include <fmt/core.h>

#include "agent/builtin_tools.h"
#include "agent/failover.h"
#include "agent/final_answer.h"
#include "agent/step_ids.h"
#include "base/json.h"
#include "base/text.h"

namespace perdure {
namespace {

constexpr size_t kProblemsMaxBytes = 2000;
constexpr uint32_t kRepairsMax = 1;
constexpr uint32_t kNudgesMax = 1;

// Why a call cannot be made, or nothing.
std::optional<std::string> malformed(const AgentSpec& spec, const ToolCall& call) {
  if (spec.find_tool(call.name) == nullptr) {
    std::vector<std::string> names;
    for (const ToolDeclaration& tool : spec.tools) names.push_back(tool.name);
    const std::string_view name = beginning(call.name, kNameMaxBytes);
    return fmt::format("there is no tool '{}'{}", name, did_you_mean(name, names));
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

CallAction outside_call(const ToolCall& call, StepId step) {
  CallAction action;
  action.step = std::move(step);
  action.kind = CallKind::kTool;
  action.name = beginning(call.name, kNameMaxBytes);
  if (action.name.empty()) action.name = "unnamed";
  action.args = Payload::of(call.arguments.empty() ? "{}" : call.arguments);
  action.reserve.tool_calls = 1;
  return action;
}

CallAction denied_call(const ToolCall& call, StepId step, std::string_view reason) {
  CallAction action = outside_call(call, std::move(step));
  action.verdict = Verdict::kDeny;
  action.verdict_reason = fmt::format("{}{}", kMalformedCall, reason);
  return action;
}

// What a call of the model becomes; its end has the name `step`.
Action tool_action(const AgentSpec& spec, const Transcript& transcript, const ToolCall& call,
                   StepId step) {
  if (const auto reason = malformed(spec, call)) return denied_call(call, std::move(step), *reason);
  if (!spec.has_builtin(call.name)) return outside_call(call, std::move(step));
  auto action = builtin_action(call, step, spec, transcript);
  if (!action) return denied_call(call, std::move(step), action.error().message);
  return *std::move(action);
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
    const StepId step = tool_step_id(transcript.answer_turn(), i);
    Action action = tool_action(spec, transcript, calls[i], step);
    const bool is_timer = std::holds_alternative<TimerAction>(action);
    out.await.of.push_back(
        {.op = is_timer ? Await::Op::kTimer : Await::Op::kStep, .name = step, .of = {}});
    out.actions.emplace_back(std::move(action));
  }
}

// The model is told once. If it goes on in circles, a person decides whether it may.
void leave_loop(std::string_view did, const Transcript& transcript, AnswerTurn& out) {
  if (transcript.told(Tell::Why::kLoop) < kNudgesMax) {
    return tell_model(
        out, {Tell::Why::kLoop,
              fmt::format("You have {}. Doing it again will not change that. Do something else, or "
                          "end with what you have, and say what is missing.",
                          did)});
  }
  out.actions.emplace_back(InterruptAction{
      InterruptReason::kLoopDetected,
      fmt::format("The model {}, after it had been told of it before. May it go on?", did)});
}

// Calls the model, unless it has gone in circles for too long.
void ask_again(const AgentSpec& spec, const Transcript& transcript, const KnownModels& models,
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
  if (const auto loop = transcript.loop()) return leave_loop(in_words(*loop), transcript, out);
  ask_first(spec, transcript, models, out);
}

// Another model may be willing, if the agent's file says so.
void act_on_refusal(const AgentSpec& spec, const Transcript& transcript, const KnownModels& models,
                    AnswerTurn& out) {
  const ModelAnswer& answer = transcript.answer();
  const std::string& words = answer.refusal.empty() ? answer.text : answer.refusal;
  auto failures = transcript.failures();
  if (spec.failover_on_refusal || !failures.empty()) {
    failures.push_back({.model = transcript.answering(),
                        .state = EffectState::kFailed,
                        .failure = FailureClass::kRefusal,
                        .detail = words,
                        .attempts = 1});
    return after_failure(spec, transcript, std::move(failures), models, out);
  }
  fail_task(out, StopReason::kRefusal,
            fmt::format("the model refused: {}", beginning(words, kQuotedMaxBytes)));
}

// The end of the task, unless its answer must be JSON and is not: then the model is told once.
void complete(const AgentSpec& spec, const Transcript& transcript, AnswerTurn& out) {
  const std::string text = transcript.paused_text() + transcript.answer().text;
  if (spec.output_schema.empty() || !spec.compiled_output_schema) {
    out.actions.emplace_back(CompleteAction{
        Payload::of(to_canonical_json(json::object{{"text", text}})), StopReason::kEndTurn});
    return;
  }
  auto result = final_json(*spec.compiled_output_schema, text);
  if (result) {
    out.actions.emplace_back(CompleteAction{Payload::of(*std::move(result)), StopReason::kEndTurn});
    return;
  }
  const std::string wrong(beginning(result.error().message, kProblemsMaxBytes));
  if (transcript.told(Tell::Why::kOutputSchema) < kRepairsMax) {
    return tell_model(out, {Tell::Why::kOutputSchema,
                            fmt::format("Your answer does not fit the schema that it must fit:\n"
                                        "{}\nThe schema:\n{}\n"
                                        "Answer again with the corrected JSON alone.",
                                        wrong, spec.output_schema)});
  }
  fail_task(out, StopReason::kError,
            fmt::format("the answer does not fit the agent's output_schema, nor did the one before "
                        "it: {}",
                        wrong));
}

std::string words_for_malformed_call(const ModelAnswer& answer) {
  return fmt::format(
      "Your answer was stopped, since a tool call in it could not be read: {}. No call of it was "
      "made. Call one of your tools by its name, with arguments that fit its schema, or go on "
      "without it.",
      beginning(answer.stop_detail, kQuotedMaxBytes));
}

void fail_cut_answer(const AgentSpec& spec, const std::string& model, const KnownModels& models,
                     AnswerTurn& out) {
  const ModelTerms terms = terms_of(models, model);
  const int64_t limit = output_tokens_max(spec, terms);
  std::string places;
  if (limit == spec.max_output_tokens) places = "in the agent file";
  if (limit == terms.max_output_tokens) {
    places +=
        fmt::format("{}in models.{} of the operator's file", places.empty() ? "" : " and ", model);
  }
  fail_task(out, StopReason::kError,
            fmt::format("the answer was cut at max_output_tokens = {}; raise it {}. Calls in it "
                        "were not made",
                        limit, places));
}

void act_on_answer(const AgentSpec& spec, const Transcript& transcript, const KnownModels& models,
                   AnswerTurn& out) {
  const ModelAnswer& answer = transcript.answer();
  if (is_refusal(answer)) return act_on_refusal(spec, transcript, models, out);
  // The arguments of a call in it may be cut, and still be JSON.
  if (answer.stop == ModelAnswer::Stop::kTruncated) {
    return fail_cut_answer(spec, transcript.answering(), models, out);
  }
  if (answer.stop == ModelAnswer::Stop::kContextOverflow) {
    return fail_task(out, StopReason::kContextOverflow,
                     "the conversation fills the model's context; the answer was cut. Calls in it "
                     "were not made");
  }
  if (answer.stop == ModelAnswer::Stop::kMalformedCall) {
    return tell_model(out, {Tell::Why::kMalformedCall, words_for_malformed_call(answer)});
  }
  if (answer.stop == ModelAnswer::Stop::kTooManyCalls) {
    return leave_loop("asked for more tool calls than its provider lets pass", transcript, out);
  }
  if (!answer.calls.empty()) return call_tools(spec, transcript, out);
  complete(spec, transcript, out);
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
                                   uint64_t turn, Seq upto_seq, const KnownModels& models) {
  TRY_STATUS(transcript.status());
  if (spec.models.empty()) return fail(Code::kInvalid, "the agent names no model");
  AnswerTurn out;
  out.turn = turn;
  out.upto_seq = upto_seq;
  out.planner_version = "agent/1:" + spec.mark;
  switch (transcript.stage()) {
    case Transcript::Stage::kCallModel:
      ask_again(spec, transcript, models, out);
      return out;
    case Transcript::Stage::kAnswered:
      act_on_answer(spec, transcript, models, out);
      return out;
    case Transcript::Stage::kModelFailed:
      after_failure(spec, transcript, transcript.failures(), models, out);
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
