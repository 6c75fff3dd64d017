#include "api/idempotency.h"

#include <fmt/core.h>

#include <algorithm>

namespace perdure::api {
namespace {

// RFC 8941, section 3.3.3. Nothing if it is not a string.
std::optional<std::string> unquote(std::string_view text) {
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return std::nullopt;
  text = text.substr(1, text.size() - 2);
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '"') return std::nullopt;
    if (text[i] == '\\') {
      if (++i == text.size() || (text[i] != '"' && text[i] != '\\')) return std::nullopt;
    }
    out += text[i];
  }
  return out;
}

bool is_printable(char c) {
  return c >= 0x20 && c < 0x7F;
}

}  // namespace

Result<std::optional<std::string>> idempotency_key_of(const Request& request) {
  const auto header = request.header("idempotency-key");
  if (!header) return std::nullopt;
  std::optional<std::string> key =
      header->starts_with('"') ? unquote(*header) : std::optional<std::string>(*header);
  const bool good = key && !key->empty() && key->size() <= kIdempotencyKeyMaxBytes &&
                    std::all_of(key->begin(), key->end(), is_printable);
  if (good) return key;
  return fail(Code::kInvalid,
              fmt::format("Idempotency-Key: expected 1 to {} printable ASCII characters",
                          kIdempotencyKeyMaxBytes));
}

}  // namespace perdure::api
