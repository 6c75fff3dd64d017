#pragma once
// What the loop's turns are made of.
#include <map>
#include <string>
#include <vector>

#include "agent/agent_spec.h"
#include "agent/tell.h"
#include "agent/transcript.h"
#include "journal/command.h"
#include "journal/price.h"

namespace perdure {

// What the operator's file says of a model, as far as it matters to the loop.
struct ModelTerms {
  ModelPrice price{};
  int64_t max_output_tokens = 0;  // 0: not known
  std::string credential{};       // where its secrets are read from; empty: none is sent
};

// By the operator's name of the model; nothing is known of one that is missing.
using KnownModels = std::map<std::string, ModelTerms>;

inline constexpr size_t kQuotedMaxBytes = 1000;  // of what came from outside

void fail_task(AnswerTurn& out, StopReason reason, std::string message);
// The model reads it in its next request, which is planned at once.
void tell_model(AnswerTurn& out, Tell tell);
ModelTerms terms_of(const KnownModels& models, const std::string& model);
// What one answer of this model may have: the less of what the agent and its operator say. 0:
// neither says it.
int64_t output_tokens_max(const AgentSpec& spec, const ModelTerms& terms);
// What the agent says and does not get, since its operator says less: a sentence each.
std::vector<std::string> limits_without_effect(const AgentSpec& spec, const KnownModels& models);
// `attempts_max`: as of CallAction.
void call_model(const AgentSpec& spec, const Transcript& transcript, const std::string& model,
                uint32_t attempts_max, const KnownModels& models, AnswerTurn& out);

}  // namespace perdure
