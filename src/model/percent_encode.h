#pragma once
#include <string>
#include <string_view>

namespace perdure {

// All but the unreserved characters of RFC 3986 and those of `keep`, as %XX.
std::string percent_encode(std::string_view text, std::string_view keep = "");

}  // namespace perdure
