#include "base/retry_after.h"

#include <algorithm>

#include "base/http_date.h"
#include "base/text.h"

namespace perdure {
std::optional<int64_t> parse_retry_after_ms(std::string_view value, int64_t now_unix_ms) {
  if (const auto seconds = parse_u64(value)) {
    return static_cast<int64_t>(std::min<uint64_t>(*seconds, kRetryAfterMaxMs / 1000)) * 1000;
  }
  const auto date_ms = parse_http_date_ms(value);
  if (!date_ms) return std::nullopt;
  return std::clamp<int64_t>(*date_ms - now_unix_ms, 0, kRetryAfterMaxMs);
}

}  // namespace perdure
