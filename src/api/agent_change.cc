#include "api/agent_change.h"

#include <algorithm>
#include <map>
#include <set>

namespace perdure::api {
namespace {

constexpr size_t kPlacesMax = 50;

// The members of two objects that are not equal, as "where.member".
void compare(const json::object& a, const json::object& b, const std::string& where,
             std::set<std::string>& places) {
  for (const auto& [name, value] : a) {
    const json::value* other = b.if_contains(name);
    if (other == nullptr || *other != value) places.insert(where + std::string(name));
  }
  for (const auto& [name, value] : b) {
    if (!a.contains(name)) places.insert(where + std::string(name));
  }
}

// By name: where a tool stands in the list says nothing.
std::map<std::string, const json::object*> tools_of(const json::object& content) {
  std::map<std::string, const json::object*> tools;
  const json::value* list = content.if_contains("tools");
  if (list == nullptr || !list->is_array()) return tools;
  for (const json::value& tool : list->get_array()) {
    const json::value* name = tool.is_object() ? tool.get_object().if_contains("name") : nullptr;
    if (name != nullptr && name->is_string()) {
      tools[std::string(name->get_string())] = &tool.get_object();
    }
  }
  return tools;
}

void compare_tools(const json::object& a, const json::object& b, std::set<std::string>& places) {
  const auto before = tools_of(a);
  const auto now = tools_of(b);
  for (const auto& [name, tool] : before) {
    const auto found = now.find(name);
    const std::string where = "tools." + name;
    if (found == now.end())
      places.insert(where);
    else
      compare(*tool, *found->second, where + ".", places);
  }
  for (const auto& [name, tool] : now) {
    if (!before.contains(name)) places.insert("tools." + name);
  }
}

json::array places_that_differ(const json::object& a, const json::object& b) {
  std::set<std::string> places;
  compare(a, b, "", places);
  places.erase("tools");
  compare_tools(a, b, places);
  json::array out;
  for (const std::string& place : places) {
    if (out.size() == kPlacesMax) break;
    out.emplace_back(place);
  }
  return out;
}

Result<json::object> content_of(const Agents& agents, const std::string& version) {
  TRY_ASSIGN(const std::string text, agents.content(version));
  TRY_ASSIGN(const json::value value, parse_json(text, "agent", {.size_bytes = 64u << 20}));
  if (!value.is_object()) return fail(Code::kCorrupt, "the content of an agent is no object");
  return value.get_object();
}

}  // namespace

json::value agent_change(const Agents& agents, const std::string& tenant, const std::string& name,
                         const std::string& pinned) {
  if (pinned.empty()) return nullptr;
  const auto current = agents.find(tenant, name);
  if (!current || current->version.empty()) {
    return json::object{{"current", nullptr}, {"changed", json::array()}};
  }
  if (current->version == pinned) return nullptr;
  const auto before = content_of(agents, pinned);
  const auto now = content_of(agents, current->version);
  return json::object{
      {"current", current->version},
      {"changed", before && now ? places_that_differ(*before, *now) : json::array()}};
}

}  // namespace perdure::api
