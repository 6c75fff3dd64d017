#pragma once
// What the server says, in words. Pure.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json_fields.h"
#include "cli/look.h"

namespace perdure::cli {

// The member's text, as JSON if it is no string; empty if there is none.
std::string text_at(const json::object& object, std::string_view name);

std::string grouped(uint64_t number);  // 12,345
std::string money_text(double usd);    // $0.0042
std::string seconds_text(int64_t ms);  // 0.4 s, 12 s, 3 min
std::string pretty_json(const json::value& value);
// The last lines that this text takes on a terminal so wide; made visible.
std::vector<std::string> last_lines(std::string_view text, size_t columns, size_t count);

// "rate limit, in 2 h 59 min": `reason` may be empty.
std::string due_text(std::string_view reason, int64_t due_ms, int64_t now_ms);
// All that a task waits for, in a few words each.
std::string waits_text(const json::object& task, int64_t now_ms);
std::string cost_text(const json::object& task);
// Everything about one task that fits a screen.
std::string task_text(const json::object& task, const Look& look, int64_t now_ms);
// What of it is not what was written, a line for each thing that is known.
std::string damage_text(const json::object& damage, const Look& look, int64_t now_ms);
// What a task came to, as its client wants it: text as text, other values as JSON.
std::string outcome_text(const json::object& task);
// The step and what came of it, for one record of a journal.
std::string record_text(const json::object& record);

}  // namespace perdure::cli
