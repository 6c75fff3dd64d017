#pragma once
// Dates of HTTP (RFC 9110, section 5.6.7), in all three forms.
#include <cstdint>
#include <optional>
#include <string_view>

namespace perdure {

// Unix time in ms; nothing if it is not a date. The day's name is not checked: it adds nothing.
std::optional<int64_t> parse_http_date_ms(std::string_view text);

}  // namespace perdure
