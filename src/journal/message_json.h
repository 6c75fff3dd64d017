#pragma once
// The stored form of a model's answer: an object with the members of ModelAnswer, calls as [{id,
// name, arguments}], raw as {dialect, items}; what is empty is left out. Members are only ever
// added, and are optional then: a journal is read by every later version.
#include <string>

#include "base/error.h"
#include "journal/message.h"

namespace perdure {

std::string answer_to_json(const ModelAnswer& answer);
Result<ModelAnswer> answer_from_json(std::string_view text);

}  // namespace perdure
