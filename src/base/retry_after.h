#pragma once
// The Retry-After header (RFC 9110, section 10.2.3).
#include <cstdint>
#include <optional>
#include <string_view>

namespace perdure {

inline constexpr int64_t kRetryAfterMaxMs = 30LL * 86400 * 1000;

// Seconds, or an HTTP date in any of its forms, as a wait from `now_unix_ms` on: 0 for a date that
// has passed, at most kRetryAfterMaxMs. Nothing if it is neither.
std::optional<int64_t> parse_retry_after_ms(std::string_view value, int64_t now_unix_ms);

}  // namespace perdure
