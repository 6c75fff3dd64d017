#include "model/extra_members.h"

#include "base/json.h"
#include "model/json_text.h"

namespace perdure {
namespace {

void put_member(std::string& out, std::string_view name, const json::value& value) {
  out += ',';
  put_json_string(out, name);
  out += ':';
  out += to_canonical_json(value);
}

}  // namespace

void put_extra(std::string& out, std::string_view extra) {
  if (extra.size() <= 2) return;
  out += ',';
  out += extra.substr(1, extra.size() - 2);
}

void put_with_extra(std::string& out, std::string_view group, std::string_view limit, int64_t value,
                    const std::string& extra) {
  const auto parsed = parse_json(extra.empty() ? "{}" : extra, "extra");
  const json::object* members = parsed ? parsed->if_object() : nullptr;
  out += ',';
  put_json_string(out, group);
  out += ":{";
  put_json_string(out, limit);
  out += ':' + std::to_string(value);
  const json::value* grouped = members != nullptr ? members->if_contains(group) : nullptr;
  if (grouped != nullptr && grouped->is_object()) {
    for (const auto& member : grouped->get_object()) put_member(out, member.key(), member.value());
  }
  out += '}';
  if (members == nullptr) return;
  for (const auto& member : *members) {
    if (member.key() != group) put_member(out, member.key(), member.value());
  }
}

}  // namespace perdure
