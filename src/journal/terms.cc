#include "journal/terms.h"

namespace perdure {
namespace {

template <class E, size_t N>
std::string_view name_in(const std::string_view (&names)[N], E value) {
  static_assert(N == static_cast<size_t>(last_of(E{})) + 1, "every value has a name");
  return names[static_cast<size_t>(value)];
}

}  // namespace

std::string_view to_string(TaskStatus value) {
  static constexpr std::string_view kNames[] = {"pending",   "working", "input_required",
                                                "completed", "failed",  "cancelled"};
  return name_in(kNames, value);
}

std::string_view to_string(Phase value) {
  static constexpr std::string_view kNames[] = {"running", "finishing", "cancelling"};
  return name_in(kNames, value);
}

std::string_view to_string(CallKind value) {
  static constexpr std::string_view kNames[] = {"model", "tool"};
  return name_in(kNames, value);
}

std::string_view to_string(ExecutedBy value) {
  static constexpr std::string_view kNames[] = {"engine", "planner", "person"};
  return name_in(kNames, value);
}

std::string_view to_string(EffectClass value) {
  static constexpr std::string_view kNames[] = {"read", "repeat", "idempotent", "probe", "once"};
  return name_in(kNames, value);
}

std::string_view to_string(OnDoubt value) {
  static constexpr std::string_view kNames[] = {"ask", "error"};
  return name_in(kNames, value);
}

std::string_view to_string(Verdict value) {
  static constexpr std::string_view kNames[] = {"allow", "ask", "deny"};
  return name_in(kNames, value);
}

std::string_view to_string(EffectState value) {
  static constexpr std::string_view kNames[] = {
      "planned",  "denied",   "awaiting_approval", "ready",       "intent",  "succeeded",  "failed",
      "not_sent", "deferred", "in_doubt",          "needs_human", "unknown", "compensated"};
  return name_in(kNames, value);
}

std::string_view to_string(Outcome value) {
  static constexpr std::string_view kNames[] = {"succeeded", "failed", "not_sent", "deferred",
                                                "in_doubt"};
  return name_in(kNames, value);
}

std::string_view to_string(FailureClass value) {
  static constexpr std::string_view kNames[] = {
      "none",     "transient",        "rate_limit", "quota",   "auth",
      "invalid",  "context_overflow", "too_large",  "refusal", "truncated",
      "continue", "malformed_output", "ambiguous"};
  return name_in(kNames, value);
}

std::string_view to_string(InterruptReason value) {
  static constexpr std::string_view kNames[] = {
      "tool_approval",      "question",         "uncertain_outcome",
      "possible_duplicate", "budget_reached",   "loop_detected",
      "planner_failed",     "provider_refusal", "auth_required"};
  return name_in(kNames, value);
}

std::string_view to_string(Decision value) {
  static constexpr std::string_view kNames[] = {"approve", "reject",    "happened", "not_happened",
                                                "dismiss", "withdrawn", "edit",     "respond"};
  return name_in(kNames, value);
}

std::string_view to_string(OnExpire value) {
  static constexpr std::string_view kNames[] = {"reject", "approve", "respond", "dismiss", "fail"};
  return name_in(kNames, value);
}

std::string_view to_string(StopReason value) {
  static constexpr std::string_view kNames[] = {
      "end_turn",  "max_turns", "refusal",     "context_overflow", "retries_exhausted",
      "cancelled", "expired",   "compensated", "budget",           "planner_failed",
      "error"};
  return name_in(kNames, value);
}

std::string_view to_string(TimerPurpose value) {
  static constexpr std::string_view kNames[] = {"planner", "retry", "replan", "ask"};
  return name_in(kNames, value);
}

std::string_view to_string(Await::Op value) {
  static constexpr std::string_view kNames[] = {"news", "step", "timer", "any", "all"};
  return name_in(kNames, value);
}

Usage& Usage::operator+=(const Usage& other) {
  cost_micro_usd = capped_sum(cost_micro_usd, other.cost_micro_usd);
  model_calls = capped_sum(model_calls, other.model_calls);
  tool_calls = capped_sum(tool_calls, other.tool_calls);
  input_tokens = capped_sum(input_tokens, other.input_tokens);
  output_tokens = capped_sum(output_tokens, other.output_tokens);
  return *this;
}

Usage& Usage::operator-=(const Usage& other) {
  cost_micro_usd = capped_sum(cost_micro_usd, -other.cost_micro_usd);
  model_calls = capped_sum(model_calls, -other.model_calls);
  tool_calls = capped_sum(tool_calls, -other.tool_calls);
  input_tokens = capped_sum(input_tokens, -other.input_tokens);
  output_tokens = capped_sum(output_tokens, -other.output_tokens);
  return *this;
}

}  // namespace perdure
