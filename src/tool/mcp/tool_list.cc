#include "tool/mcp/tool_list.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "base/json_fields.h"

namespace perdure::mcp {
namespace {

constexpr std::string_view kPinned[] = {"name",         "title",       "description", "inputSchema",
                                        "outputSchema", "annotations", "execution"};

std::optional<bool> hint(const json::object& annotations, std::string_view name) {
  const auto found = annotations.find(name);
  if (found == annotations.end() || !found->value().is_bool()) return std::nullopt;
  return found->value().get_bool();
}

Annotations read_annotations(const json::object& tool) {
  const json::object* annotations = object_in(tool, "annotations");
  if (annotations == nullptr) return {};
  return {hint(*annotations, "readOnlyHint"), hint(*annotations, "destructiveHint"),
          hint(*annotations, "idempotentHint")};
}

}  // namespace

bool is_tool_name(std::string_view name) {
  return !name.empty() && name.size() <= kToolNameMaxBytes &&
         std::all_of(name.begin(), name.end(), [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                  c == '_' || c == '-' || c == '.' || c == '/';
         });
}

Result<ListedTool> read_tool(const json::value& item) {
  const json::object* object = item.if_object();
  if (object == nullptr) return fail(Code::kInvalid, "a tool is not an object");
  ListedTool tool;
  tool.name = text_in(*object, "name");
  if (!is_tool_name(tool.name)) {
    return fail(Code::kInvalid, fmt::format("a tool has a name that is not 1 to {} of letters, "
                                            "digits, '_', '-', '.', '/'",
                                            kToolNameMaxBytes));
  }
  if (const auto text = object->find("description"); text != object->end()) {
    if (!text->value().is_string()) {
      return fail(Code::kInvalid, fmt::format("{}: its description is not text", tool.name));
    }
    tool.description = text->value().get_string();
  }
  if (object_in(*object, "inputSchema") == nullptr) {
    return fail(Code::kInvalid, fmt::format("{}: its inputSchema is not an object", tool.name));
  }
  tool.input_schema = to_canonical_json(object->at("inputSchema"));
  tool.annotations = read_annotations(*object);
  json::object pinned;
  for (const std::string_view key : kPinned) {
    if (const auto found = object->find(key); found != object->end()) pinned[key] = found->value();
  }
  tool.definition = to_canonical_json(pinned);
  if (tool.definition.size() > kToolMaxBytes) {
    return fail(Code::kTooLarge, fmt::format("{}: its definition is longer than {} bytes",
                                             tool.name, kToolMaxBytes));
  }
  tool.sha256 = sha256(tool.definition);
  return tool;
}

Sha256 list_sha256(const std::vector<ListedTool>& tools) {
  std::map<std::string_view, const ListedTool*> sorted;
  for (const ListedTool& tool : tools) sorted[tool.name] = &tool;
  Hasher hasher;
  for (const auto& [name, tool] : sorted) hasher.add(tool->sha256.view());
  return hasher.finish();
}

}  // namespace perdure::mcp
