#pragma once
// What makes two answers of a planner the same answer.
#include "journal/command.h"

namespace perdure {

// Over everything that the planner said: not `answer_hash`, and not what the server adds to a call
// from its configuration (contract, verdict, identity, reserve). Payloads count by their contents,
// wherever they stand.
Sha256 hash_answer(const AnswerTurn& answer);

}  // namespace perdure
