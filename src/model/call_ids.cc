#include "model/call_ids.h"

#include <algorithm>

#include "base/hash.h"
#include "base/text.h"

namespace perdure {
namespace {

constexpr size_t kIdMaxBytes = 64;

bool is_wire_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

}  // namespace

std::string wire_call_id(std::string_view id) {
  const bool fits =
      !id.empty() && id.size() <= kIdMaxBytes && std::all_of(id.begin(), id.end(), is_wire_byte);
  return fits ? std::string(id) : "call_" + to_hex(sha256(id).view().substr(0, 16));
}

}  // namespace perdure
