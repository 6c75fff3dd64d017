#pragma once
// JSON as people are shown it: shortest exact decimals (0.5, not 5E-1), no spaces.
#include <string>
#include <string_view>

#include "base/json.h"

namespace perdure {

void append_json(std::string& out, const json::value& value);
void append_json_string(std::string& out, std::string_view text);
std::string json_text(const json::value& value);

}  // namespace perdure
