#pragma once
// Does a person's answer fit what the question asks for?
#include "api/interrupt_view.h"
#include "journal/command.h"

namespace perdure::api {

// kInvalid says what is wrong. A question without a schema takes any answer.
Status check_answer(const Question& question, const Resolve& decision);

}  // namespace perdure::api
