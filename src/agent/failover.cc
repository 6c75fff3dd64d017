#include "agent/failover.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"

namespace perdure {
namespace {

using ModelFailure = Transcript::ModelFailure;

// Another model has another provider, key, quota and temper. What is wrong with the request itself
// stays wrong.
bool may_ask_another(const AgentSpec& spec, const ModelFailure& failure) {
  if (failure.state == EffectState::kDenied) return false;
  switch (failure.failure) {
    case FailureClass::kTransient:
    case FailureClass::kRateLimit:
    case FailureClass::kQuota:
    case FailureClass::kAuth:
    case FailureClass::kAmbiguous:
    case FailureClass::kMalformedOutput:
      return true;
    case FailureClass::kRefusal:
      return spec.failover_on_refusal;
    case FailureClass::kNone:
      return failure.state == EffectState::kUnknown;
    default:
      return false;
  }
}

StopReason stop_reason_of(const ModelFailure& failure) {
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

std::string in_words(const ModelFailure& failure) {
  const std::string_view how = failure.state == EffectState::kDenied ? "was denied" : "failed";
  std::string words = fmt::format("the call of model '{}' {}", failure.model, how);
  if (failure.failure != FailureClass::kNone) {
    words += fmt::format(" ({})", to_string(failure.failure));
  }
  if (failure.attempts > 1) words += fmt::format(" after {} attempts", failure.attempts);
  if (!failure.detail.empty()) {
    words += fmt::format(": {}", beginning(failure.detail, kQuotedMaxBytes));
  }
  return words;
}

const std::string* next_model(const AgentSpec& spec, const std::vector<ModelFailure>& failures) {
  const auto next = std::find_if(spec.models.begin(), spec.models.end(), [&](const auto& model) {
    return std::none_of(failures.begin(), failures.end(),
                        [&](const ModelFailure& failure) { return failure.model == model; });
  });
  return next == spec.models.end() ? nullptr : &*next;
}

// `failures`: of those that were asked before it.
void ask(const AgentSpec& spec, const Transcript& transcript, const std::string& model,
         std::vector<ModelFailure> failures, const KnownModels& models, AnswerTurn& out) {
  failures.push_back({.model = model, .detail = {}});
  const bool is_last = next_model(spec, failures) == nullptr;
  call_model(spec, transcript, model, is_last ? 0 : kAttemptsBeforeNext, models, out);
}

}  // namespace

void ask_first(const AgentSpec& spec, const Transcript& transcript, const KnownModels& models,
               AnswerTurn& out) {
  const auto& names = spec.models;
  const auto worked = std::find(names.begin(), names.end(), transcript.answered_by());
  ask(spec, transcript, worked == names.end() ? names.front() : *worked, {}, models, out);
}

void after_failure(const AgentSpec& spec, const Transcript& transcript,
                   std::vector<ModelFailure> failures, const KnownModels& models, AnswerTurn& out) {
  if (may_ask_another(spec, failures.back())) {
    if (const std::string* next = next_model(spec, failures)) {
      return ask(spec, transcript, *next, std::move(failures), models, out);
    }
  }
  std::string message = in_words(failures.front());
  for (size_t i = 1; i < failures.size(); ++i) message += "; then " + in_words(failures[i]);
  fail_task(out, stop_reason_of(failures.front()), std::move(message));
}

}  // namespace perdure
