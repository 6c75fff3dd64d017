#pragma once
// The stored form of a model's answer.
#include <string>

#include "base/error.h"
#include "journal/message.h"

namespace perdure {

std::string answer_to_json(const ModelAnswer& answer);
Result<ModelAnswer> answer_from_json(std::string_view text);

}  // namespace perdure
