#include "agent/failover.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"

namespace perdure {
namespace {

using ModelFailure = Transcript::ModelFailure;

constexpr size_t kQuotedFailuresMaxBytes = 2000;

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

// Another credential, or money, would help.
bool a_person_can_mend(const ModelFailure& failure) {
  return failure.state != EffectState::kDenied &&
         (failure.failure == FailureClass::kAuth || failure.failure == FailureClass::kQuota);
}

std::string remedy(const ModelFailure& failure, const ModelTerms& terms) {
  std::string place = "models." + failure.model;
  if (!terms.credential.empty()) place += fmt::format(" ({})", terms.credential);
  return failure.failure == FailureClass::kAuth
             ? fmt::format("mend the credential of {}", place)
             : fmt::format("give the account of {} money or a higher limit", place);
}

std::string in_words(const std::vector<ModelFailure>& failures) {
  std::string message = in_words(failures.front());
  for (size_t i = 1; i < failures.size(); ++i) message += "; then " + in_words(failures[i]);
  return message;
}

void ask_person_to_mend(const std::vector<ModelFailure>& failures, const KnownModels& models,
                        AnswerTurn& out) {
  std::string remedies;
  for (const ModelFailure& failure : failures) {
    if (!a_person_can_mend(failure)) continue;
    remedies +=
        (remedies.empty() ? "" : ", or ") + remedy(failure, terms_of(models, failure.model));
  }
  out.actions.emplace_back(InterruptAction{
      InterruptReason::kAuthRequired,
      fmt::format("No model can be asked: {}. To go on, {}, and approve: the models are asked "
                  "again. Rejecting ends the task.",
                  beginning(in_words(failures), kQuotedFailuresMaxBytes),
                  beginning(remedies, kQuotedMaxBytes))});
}

// `failures`: of those that were asked before it.
void ask(const AgentSpec& spec, const Transcript& transcript, const std::string& model,
         std::vector<ModelFailure> failures, const KnownModels& models, AnswerTurn& out) {
  failures.push_back({.model = model, .detail = {}});
  const bool is_last = next_model(spec, failures) == nullptr;
  call_model(spec, transcript, model, is_last ? 0 : kAttemptsBeforeNext, models, out);
}

// Of the models that were left early for others: one that did not answer for a while, and may by
// now.
const ModelFailure* worth_waiting_for(const std::vector<ModelFailure>& failures) {
  const auto passes = [](const ModelFailure& failure) {
    return failure.failure == FailureClass::kTransient ||
           failure.failure == FailureClass::kRateLimit ||
           failure.failure == FailureClass::kAmbiguous;
  };
  if (passes(failures.back())) return nullptr;  // it was waited for
  for (const ModelFailure& failure : failures) {
    const auto times = std::count_if(failures.begin(), failures.end(), [&](const auto& other) {
      return other.model == failure.model;
    });
    if (passes(failure) && times == 1) return &failure;
  }
  return nullptr;
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
    if (const ModelFailure* passing = worth_waiting_for(failures)) {
      return call_model(spec, transcript, passing->model, 0, models, out);
    }
    if (std::any_of(failures.begin(), failures.end(), a_person_can_mend)) {
      return ask_person_to_mend(failures, models, out);
    }
  }
  fail_task(out, stop_reason_of(failures.front()), in_words(failures));
}

}  // namespace perdure
