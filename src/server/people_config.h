#pragma once
// Who is asked, and what happens while nobody answers: [people], and `people` in a tool's table.
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "journal/people.h"

namespace perdure::server {

// What the table does not say is as in `base`.
Result<Asking> read_asking(const json::value& table, const std::string& where, const Asking& base);

// The same in the table of a tool. That silence approves what acts once is never inherited.
Result<Asking> read_asking_of_tool(const json::value& table, const std::string& where,
                                   const Asking& base, EffectClass effect);

// `people` in the tables [mcp.NAME] and in those of their tools' contracts; `common` is read.
Status read_people_of_server(PeopleRules& people, const std::string& server,
                             const json::object& table);

}  // namespace perdure::server
