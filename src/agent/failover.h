#pragma once
// Which model is asked: the one that answered last, and where a call ended without an answer, the
// next of the agent's list that was not asked for this answer yet.
#include "agent/turn_parts.h"

namespace perdure {

// While another model of the list is left, it answers sooner than patience would.
inline constexpr uint32_t kAttemptsBeforeNext = 5;

// For an answer that nobody was asked for yet.
void ask_first(const AgentSpec& spec, const Transcript& transcript, const KnownModels& models,
               AnswerTurn& out);

// After a model call that ended without an answer, or with a refusal: the next model; at the end of
// the list a person, if a credential or money is missing; or else the end of the task. It names
// every model that was asked; the reason is that of the first.
void after_failure(const AgentSpec& spec, const Transcript& transcript,
                   std::vector<Transcript::ModelFailure> failures, const KnownModels& models,
                   AnswerTurn& out);

}  // namespace perdure
