#pragma once
// Dates as others write them: of HTTP (RFC 9110, section 5.6.7) in all three forms, and of RFC
// 3339.
#include <cstdint>
#include <optional>
#include <string_view>

namespace perdure {

// Unix time in ms; nothing if it is not a date. The day's name is not checked: it adds nothing.
std::optional<int64_t> parse_http_date_ms(std::string_view text);

// "2026-11-21T03:31:30.125Z": UTC alone, digits below a millisecond are dropped.
std::optional<int64_t> parse_rfc3339_ms(std::string_view text);

}  // namespace perdure
