#pragma once
// Where a call goes and how a person finds out whether it arrived, in words. No credential stands
// in them. Pure.
#include <string>
#include <string_view>

#include "ports/tool_catalog.h"

namespace perdure {

// A URL, or a template of one, as people see it: without a user, the values that the operator
// wrote into the query, and what looks like a credential in the path. Arguments stay "{name}".
std::string shown_url(std::string_view url);
// Scheme, host and port.
std::string shown_origin(std::string_view url);

// Of one call of this tool; `args` is a JSON text.
CallPlace place_of(const ToolEntry& tool, std::string_view args, std::string_view key);

}  // namespace perdure
