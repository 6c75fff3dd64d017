#pragma once
// Schemas and values in words, for people and models. Every text is bounded.
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace perdure::schema {

std::string quoted(std::string_view text, size_t max_bytes = 60);
// The value as JSON, or its beginning.
std::string shown(const json::value& value, size_t max_bytes = 60);
// "the string "ab"", "an array of 3 items".
std::string found_in_words(const json::value& value);
std::string types_in_words(uint8_t types);
std::string one_of_in_words(const json::array& values);
std::string names_in_words(const std::vector<std::string>& names);

}  // namespace perdure::schema
