#pragma once
#include <cstdint>
#include <optional>
#include <string_view>

namespace perdure {

// Unix time in ms of "2026-11-24T09:16:15Z", with a fraction and with "+01:00" too; nothing if it
// is not such a time. A leap second is the next one. Writing them: to_rfc3339 in base/text.h.
std::optional<int64_t> parse_rfc3339(std::string_view text);

}  // namespace perdure
