#include "tool/identity.h"

#include "base/json.h"

namespace perdure {
namespace {

// Each piece carries its kind and size, so that no two sequences of pieces give equal bytes.
void add(Hasher& hasher, char kind, std::string_view piece) {
  hasher.add(std::string(1, kind) + std::to_string(piece.size()) + ":").add(piece);
}

}  // namespace

Sha256 identity_of(std::string_view tool, const std::vector<std::string>& pointers,
                   std::string_view args) {
  Hasher hasher;
  add(hasher, 't', tool);
  const auto parsed = parse_json(args, "arguments");
  if (!parsed) {
    add(hasher, 'b', args);
    return hasher.finish();
  }
  if (pointers.empty()) add(hasher, 'v', to_canonical_json(*parsed));
  for (const std::string& pointer : pointers) {
    const auto found = find_pointer(*parsed, pointer);
    add(hasher, 'p', pointer);
    if (found && *found != nullptr) add(hasher, 'v', to_canonical_json(**found));
  }
  return hasher.finish();
}

}  // namespace perdure
