#pragma once
// What the loop's turns are made of.
#include <map>
#include <string>

#include "agent/agent_spec.h"
#include "agent/tell.h"
#include "agent/transcript.h"
#include "journal/command.h"
#include "journal/price.h"

namespace perdure {

// By the operator's name of the model; one that is missing costs nothing.
using Prices = std::map<std::string, ModelPrice>;

inline constexpr size_t kQuotedMaxBytes = 1000;  // of what came from outside

void fail_task(AnswerTurn& out, StopReason reason, std::string message);
// The model reads it in its next request, which is planned at once.
void tell_model(AnswerTurn& out, Tell tell);
void call_model(const AgentSpec& spec, const Transcript& transcript, const std::string& model,
                const Prices& prices, AnswerTurn& out);

}  // namespace perdure
