#pragma once
#include "base/json_fields.h"

namespace perdure {

// A count of tokens. More than any model can read or write is a mistake of the server, and unknown.
inline std::optional<int64_t> tokens_in(const json::object& usage, std::string_view name) {
  constexpr int64_t kTokensMax = 1'000'000'000;
  const auto tokens = integer_in(usage, name);
  return tokens && *tokens >= 0 && *tokens <= kTokensMax ? tokens : std::nullopt;
}

}  // namespace perdure
