#pragma once
// Base 64 (RFC 4648, sections 4 and 5).
#include <string>
#include <string_view>

namespace perdure {

enum class Base64 : bool { kStandard, kUrl };

// With padding.
std::string to_base64(std::string_view bytes, Base64 alphabet = Base64::kStandard);

}  // namespace perdure
