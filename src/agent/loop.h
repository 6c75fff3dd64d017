#pragma once
// The agent loop: what an agent's task does next, as a pure function of its transcript. Equal
// arguments give equal turns, so a turn that was lost is simply planned again.
#include "agent/agent_spec.h"
#include "agent/transcript.h"
#include "agent/turn_parts.h"
#include "journal/command.h"
#include "journal/price.h"

namespace perdure {

inline constexpr uint32_t kMalformedAnswersMax = 3;
inline constexpr uint32_t kPausedAnswersMax = 20;

// The turn `turn`, for a transcript folded up to `upto_seq`. A call whose arguments cannot be read,
// or of a tool that the agent does not have, carries the verdict `deny` with its reason: keep it.
// Other calls carry `ask`; who knows the operator's policy sets contract, verdict and identity
// (see AgentSpec::asks_always). The answer's hash is left zero.
// Fails if the transcript does, or if the task waits for an outcome (kConflict).
Result<AnswerTurn> plan_agent_turn(const AgentSpec& spec, const Transcript& transcript,
                                   uint64_t turn, Seq upto_seq, const KnownModels& models);

// What one model call may use at most: reserved before it is sent.
Usage reserve_model_call(int64_t input_tokens, int64_t output_tokens, const ModelPrice& price);

}  // namespace perdure
