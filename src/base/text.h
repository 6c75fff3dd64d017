#pragma once
// Text forms of bytes, numbers and times, and checks of text from outside.
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace perdure {

std::string to_hex(std::string_view bytes);
std::optional<std::string> from_hex(std::string_view hex);

// Crockford's base 32, lower case, without padding: https://www.crockford.com/base32.html
std::string to_base32(std::string_view bytes);
std::optional<std::string> from_base32(std::string_view text, size_t size_bytes);

// Milliseconds since 1970-01-01T00:00:00Z as RFC 3339, e.g. "2026-11-21T03:31:30.125Z".
std::string to_rfc3339(int64_t unix_ms);

// ASCII letters only.
std::string lower_case(std::string_view text);

// Millionths of a dollar as "0.0328 USD".
std::string usd_text(int64_t micro_usd);

bool is_valid_utf8(std::string_view text);

// The beginning of UTF-8 text, cut between characters.
std::string_view beginning(std::string_view text, size_t max_bytes);

// A whole decimal number without sign, or nothing.
std::optional<uint64_t> parse_u64(std::string_view text);

// The candidate with the smallest edit distance to `word`, if it is near enough to be a
// misspelling.
std::optional<std::string> nearest_word(std::string_view word,
                                        const std::vector<std::string>& candidates);

// "; did you mean 'that'?" as the end of an error; empty if no candidate is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates);

}  // namespace perdure
