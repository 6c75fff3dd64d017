#pragma once
// A large result in part: its beginning and its end, and how to read the rest. Cut between
// characters; equal results give equal bytes.
#include <cstdint>
#include <string>
#include <string_view>

#include "journal/terms.h"

namespace perdure {

struct InlineRules {
  int64_t max_bytes = kUnlimited;
  bool can_read_more = false;  // the agent has the tool read_result
  bool as_text = true;         // of a tool server's result, its text (agent/mcp_text.h)
};

bool is_too_large(std::string_view result, const InlineRules& rules);
// `call`: what read_result is told to name.
std::string preview_of(std::string_view result, const StepId& call, const InlineRules& rules);
// From byte `offset` on, with a line that says what it is.
std::string part_of(std::string_view result, uint64_t offset, uint64_t limit_bytes);

}  // namespace perdure
