#pragma once
// JSON strings whose bytes are ours: a library's escapes may change with its version, and requests
// must not.
#include <string>
#include <string_view>

namespace perdure {

// Appends `text` quoted. Escaped are '"', '\\' and control characters; all else stands as it is,
// except for bytes that are no UTF-8: each becomes U+FFFD.
void put_json_string(std::string& out, std::string_view text);

// There is nothing to see in it. Some providers refuse such text.
bool is_blank(std::string_view text);

// Appends the arguments of a call, for a dialect that wants an object: as they stand if they are
// one, {} if they are blank, and else as the one member "unreadable_arguments".
void put_json_object(std::string& out, std::string_view arguments);

}  // namespace perdure
