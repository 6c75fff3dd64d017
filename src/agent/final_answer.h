#pragma once
// An answer that must be JSON of a given shape.
#include <string>
#include <string_view>

#include "base/error.h"
#include "schema/schema.h"

namespace perdure {

// What the model is told from the beginning.
std::string words_for_json(std::string_view schema);

// The canonical JSON of the value that the answer's text holds: the text itself, or one fenced
// block in it, as models write it. The error says what is wrong, for the model.
Result<std::string> final_json(const JsonSchema& schema, std::string_view text);

}  // namespace perdure
