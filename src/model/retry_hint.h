#pragma once
// How long a server asks to wait, from the headers of its answer.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace perdure {

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;  // names in lower case

inline constexpr int64_t kRetryHintMaxMs = 31LL * 86'400'000;

// Null if the header is absent.
const std::string* find_header(const HttpHeaders& headers, std::string_view name);

// retry-after-ms, else Retry-After (seconds or HTTP-date), else, for `rate_limited`, the longest
// x-ratelimit-reset-* of a limit that is used up (of any, when the server does not say what
// remains). 0: no hint. At most kRetryHintMaxMs. A date is counted from the answer's own Date, or
// from now_ms when it has none.
int64_t retry_after_ms(const HttpHeaders& headers, bool rate_limited, int64_t now_ms);

// x-should-retry.
std::optional<bool> should_retry(const HttpHeaders& headers);

// "1s", "6m0s", "1h2m3.5s", "20ms", or a number of seconds.
std::optional<int64_t> parse_reset_ms(std::string_view text);

}  // namespace perdure
