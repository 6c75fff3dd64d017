#pragma once
// References between schemas: as much of RFC 3986 as joins a base and a reference. Nothing is ever
// fetched.
#include <string>
#include <string_view>

namespace perdure::schema {

// The absolute form of `reference`, seen from `base`; without a base, `reference` itself.
std::string resolve_uri(std::string_view base, std::string_view reference);

struct SplitUri {
  std::string_view document;
  std::string_view fragment;  // still percent-encoded
};
SplitUri split_fragment(std::string_view uri);

}  // namespace perdure::schema
