#pragma once
// By what tasks are found that carry metadata: a hash for each member of the object, so that an
// index holds small rows of one size whatever is in there.
#include <set>
#include <string>
#include <string_view>

namespace perdure {

// The first 16 bytes of SHA-256 over name and text, each behind its length (32 bits,
// little-endian).
std::string label_of(std::string_view name, std::string_view text);

// Of every member of the object. A text is its own text; any other value is as JSON writes it.
// None if this is no JSON object.
std::set<std::string> labels_of(std::string_view metadata);

}  // namespace perdure
