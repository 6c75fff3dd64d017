#pragma once
// What the requests of all dialects take from our messages and tools.
#include <string>
#include <string_view>

#include "journal/message.h"
#include "model/tool_names.h"

namespace perdure {

// The elements of what this dialect said itself and gets back unchanged, without the brackets of
// their array. Empty: another dialect said it, or the fields of the message say it all.
std::string_view own_items(const Message& message, std::string_view dialect);

// What the assistant said, be it a refusal.
const std::string& words_of(const Message& message);

// Appends "name":...,"description":..., the second only if there is one.
void put_name_and_description(std::string& out, const ToolDeclaration& tool,
                              const ToolNames& names);

}  // namespace perdure
