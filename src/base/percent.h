#pragma once
// Percent-encoding (RFC 3986, section 2.1).
#include <optional>
#include <string>
#include <string_view>

namespace perdure {

// Everything but letters, digits, '-', '.', '_', '~' and what `keep` names becomes %XX.
std::string percent_encode(std::string_view text, std::string_view keep = "");

// Nothing if an escape is broken or what it gives is no UTF-8. `plus_is_space`: as forms write
// queries.
std::optional<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

// -1: it is none.
int hex_digit(char c);

}  // namespace perdure
