#include "schema/equal.h"

#include <algorithm>
#include <bit>
#include <utility>
#include <vector>

#include "schema/number.h"

namespace perdure::schema {
namespace {

constexpr size_t kBytesPerStep = 64;
constexpr int kDepthMax = 512;

bool go_deeper(int depth, Work& work) {
  return depth < kDepthMax || work.give_up("a value is nested too deeply");
}

bool equal_at(const json::value& a, const json::value& b, int depth, Work& work) {
  if (!work.spend(1) || !go_deeper(depth, work)) return false;
  if (a.is_number() && b.is_number()) return compare_numbers(a, b) == 0;
  if (a.kind() != b.kind()) return false;
  if (const auto* text = a.if_string()) {
    return work.spend(text->size() / kBytesPerStep) && *text == b.get_string();
  }
  if (const auto* items = a.if_array()) {
    const json::array& others = b.get_array();
    if (items->size() != others.size()) return false;
    for (size_t i = 0; i < items->size(); ++i) {
      if (!equal_at((*items)[i], others[i], depth + 1, work)) return false;
    }
    return true;
  }
  if (const auto* members = a.if_object()) {
    const json::object& others = b.get_object();
    if (members->size() != others.size()) return false;
    for (const auto& [name, member] : *members) {
      const json::value* other = others.if_contains(name);
      if (other == nullptr || !equal_at(member, *other, depth + 1, work)) return false;
    }
    return true;
  }
  return a.is_null() || a.get_bool() == b.get_bool();
}

uint64_t mixed(uint64_t hash, uint64_t with) {
  hash = (hash ^ with) * 0x9E3779B97F4A7C15u;
  return hash ^ (hash >> 29);
}

uint64_t hash_text(std::string_view text) {
  uint64_t hash = mixed(3, text.size());
  for (const char c : text) hash = mixed(hash, static_cast<unsigned char>(c));
  return hash;
}

uint64_t hash_number(const json::value& number) {
  uint64_t whole = 0;
  if (to_count(number, whole)) return mixed(2, whole);
  // A negative number, or a fraction: as a double, so that -1 and -1.0 agree.
  return mixed(6, std::bit_cast<uint64_t>(number.to_number<double>()));
}

// Equal values have equal hashes. The sum over members does not depend on their order.
uint64_t hash_at(const json::value& value, int depth, Work& work) {
  if (!work.spend(1) || !go_deeper(depth, work)) return 0;
  if (value.is_number()) return hash_number(value);
  if (const auto* text = value.if_string()) {
    work.spend(text->size() / kBytesPerStep);
    return hash_text(*text);
  }
  if (const auto* items = value.if_array()) {
    uint64_t hash = mixed(4, items->size());
    for (const json::value& item : *items) hash = mixed(hash, hash_at(item, depth + 1, work));
    return hash;
  }
  if (const auto* members = value.if_object()) {
    uint64_t sum = 0;
    for (const auto& [name, member] : *members) {
      sum += mixed(hash_text(name), hash_at(member, depth + 1, work));
    }
    return mixed(5, sum);
  }
  return mixed(1, value.is_null() ? 2 : value.get_bool() ? 1 : 0);
}

}  // namespace

bool equal(const json::value& a, const json::value& b, Work& work) {
  return equal_at(a, b, 0, work);
}

bool all_differ(const json::array& items, Work& work) {
  std::vector<std::pair<uint64_t, size_t>> hashes;
  if (!work.spend(items.size())) return false;
  for (size_t i = 0; i < items.size(); ++i) hashes.emplace_back(hash_at(items[i], 0, work), i);
  if (work.exhausted()) return false;
  std::sort(hashes.begin(), hashes.end());
  for (size_t i = 0; i < hashes.size(); ++i) {
    for (size_t j = i + 1; j < hashes.size() && hashes[j].first == hashes[i].first; ++j) {
      if (equal(items[hashes[i].second], items[hashes[j].second], work)) return false;
      if (work.exhausted()) return false;
    }
  }
  return true;
}

}  // namespace perdure::schema
