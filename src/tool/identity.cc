#include "tool/identity.h"

#include <array>
#include <charconv>

#include "base/json.h"

namespace perdure {
namespace {

// Each piece carries its kind and size, so that no two sequences of pieces give equal bytes.
void add(Hasher& hasher, char kind, std::string_view piece) {
  std::array<char, 24> head{kind};
  char* end = std::to_chars(head.data() + 1, head.data() + head.size(), piece.size()).ptr;
  *end++ = ':';
  hasher.add({head.data(), static_cast<size_t>(end - head.data())}).add(piece);
}

}  // namespace

Sha256 identity_of(std::string_view tool, const std::vector<std::string>& pointers,
                   std::string_view args) {
  if (const auto parsed = parse_json(args, "arguments")) {
    return identity_of_value(tool, pointers, *parsed);
  }
  Hasher hasher;
  add(hasher, 't', tool);
  add(hasher, 'b', args);
  return hasher.finish();
}

Sha256 identity_of_value(std::string_view tool, const std::vector<std::string>& pointers,
                         const json::value& args) {
  thread_local Hasher hasher;  // made ready again by finish()
  add(hasher, 't', tool);
  if (pointers.empty()) add(hasher, 'v', to_canonical_json(args));
  for (const std::string& pointer : pointers) {
    const auto found = find_pointer(args, pointer);
    add(hasher, 'p', pointer);
    if (found && *found != nullptr) add(hasher, 'v', to_canonical_json(**found));
  }
  return hasher.finish();
}

}  // namespace perdure
