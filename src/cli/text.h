#pragma once
// Foreign text on a terminal. Much of what is shown was written by models and tools: what could
// move the cursor, change what was printed before or let text read otherwise than it is, is shown
// as an escape. Pure.
#include <string>
#include <string_view>

namespace perdure::cli {

// On one line: control characters, line ends too, the marks that turn the direction of writing, and
// bytes that are no UTF-8 become "\n", "\x1b", "\u202e".
std::string visible(std::string_view text);
// The same, but line ends and tabs stay.
std::string visible_lines(std::string_view text);

// Columns of a terminal; wide characters take two.
size_t columns_of(std::string_view text);
// At most so many columns; what is left out is marked by "...".
std::string clipped(std::string_view text, size_t columns);
// The end of it, at most so many columns.
std::string tail_of(std::string_view text, size_t columns);

}  // namespace perdure::cli
