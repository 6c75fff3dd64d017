#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "scenario/line.h"

namespace perdure::scenario {

inline constexpr std::string_view kVerbs =
    "One of: operator, agent, given, submit, model, fetch, tool, crash, advance, decide, cancel, "
    "expect";

// What a model answers, in OpenAI's Chat Completions format, as the rest of the line says:
//   says "text" [using N in N out]
//   calls NAME {arguments} [and NAME {arguments}]...     a text in the place of {arguments} stands
//   as it is declines "text" | is cut "text"
std::string model_answer(Line& line, uint64_t number);

// The last event of an answer in OpenAI's Responses format: says "text".
std::string background_answer(Line& line);

}  // namespace perdure::scenario
