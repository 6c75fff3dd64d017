#pragma once
// A question of a server to a person, in form mode: a flat object of primitive values.
// https://modelcontextprotocol.io/specification/2025-11-25/client/elicitation
#include "base/json.h"

namespace perdure::mcp {

inline constexpr size_t kQuestionFieldsMax = 100;
inline constexpr size_t kFormMaxBytes = 64 * 1024;

struct Question {
  std::string message;
  json::object schema;
};

// `params` of elicitation/create; an error if it is not a form that a person could fill in.
Result<Question> read_question(const json::object& params);

// What a person filled in, with the schema's defaults for what was left out (SEP-1034), as it may
// be sent: an error names the field that is missing, unknown, or of another type.
Result<json::object> complete_answer(const json::object& schema, json::object filled);

}  // namespace perdure::mcp
