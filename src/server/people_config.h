#pragma once
// Who is asked, and what happens while nobody answers: [people], and `people` in a tool's table.
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "journal/terms.h"

namespace perdure::server {

// What the table does not say is as in `base`.
Result<Asking> read_asking(const json::value& table, const std::string& where, const Asking& base);

// The same in the table of a tool. That silence approves what acts once is never inherited.
Result<Asking> read_asking_of_tool(const json::value& table, const std::string& where,
                                   const Asking& base, EffectClass effect);

}  // namespace perdure::server
