#pragma once
#include <string>
#include <string_view>

namespace perdure {

// The id of a tool call as a provider accepts it: [A-Za-z0-9_-]{1,64}. One that another provider
// gave may be anything else; equal ids stay equal.
std::string wire_call_id(std::string_view id);

}  // namespace perdure
