#pragma once
// What a person may answer to a question: {"question", "choices"?, "schema"?}. Pure.
#include <string_view>

#include "base/error.h"

namespace perdure::runtime {

// Both are JSON texts. kInvalid names the choices, or says what does not fit the schema.
Status check_answer(std::string_view question, std::string_view answer);

}  // namespace perdure::runtime
