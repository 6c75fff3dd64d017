#include "agent/mcp_text.h"

#include <fmt/core.h>

#include "base/json.h"
#include "base/json_fields.h"
#include "base/text.h"

namespace perdure {
namespace {

constexpr JsonLimits kLimits = {.depth = 64, .size_bytes = 64u << 20};
constexpr std::string_view kContent = "content";
constexpr std::string_view kStructured = "structuredContent";
constexpr size_t kNameMaxBytes = 200;  // of a type or an address

// Of what base64 stands for.
size_t decoded_bytes(std::string_view base64) {
  while (base64.ends_with('=')) base64.remove_suffix(1);
  return base64.size() * 3 / 4;
}

std::string named(std::string_view what, std::string_view type, std::string_view data) {
  std::string out = fmt::format("[{}", beginning(type.empty() ? what : type, kNameMaxBytes));
  if (!data.empty()) out += fmt::format(", {} bytes", decoded_bytes(data));
  return out + "]";
}

std::string of_resource(const json::object& resource) {
  const std::string_view text = text_in(resource, "text");
  if (!text.empty()) return std::string(text);
  return fmt::format("{} {}", beginning(text_in(resource, "uri"), kNameMaxBytes),
                     named("resource", text_in(resource, "mimeType"), text_in(resource, "blob")));
}

std::optional<std::string> of_block(const json::value& value) {
  const json::object* block = value.if_object();
  if (block == nullptr) return std::nullopt;
  const std::string_view type = text_in(*block, "type");
  if (type.empty()) return std::nullopt;
  if (type == "text") return std::string(text_in(*block, "text"));
  if (type == "resource_link") {
    return fmt::format("[{}: {}]", beginning(text_in(*block, "name"), kNameMaxBytes),
                       beginning(text_in(*block, "uri"), kNameMaxBytes));
  }
  const json::object* resource = object_in(*block, "resource");
  if (type == "resource" && resource != nullptr) return of_resource(*resource);
  if (type != "image" && type != "audio") return std::nullopt;  // no tool server says that
  return named(type, text_in(*block, "mimeType"), text_in(*block, "data"));
}

// Servers repeat what is structured as a text, for clients that know no other.
bool says(const json::value& block, std::string_view canonical) {
  const json::object* object = block.if_object();
  if (object == nullptr || text_in(*object, "type") != "text") return false;
  const auto value = parse_json(text_in(*object, "text"), "text", kLimits);
  return value && to_canonical_json(*value) == canonical;
}

}  // namespace

std::optional<std::string> mcp_text(std::string_view result) {
  if (!result.starts_with(R"({"content":)")) return std::nullopt;  // as it is kept
  const auto parsed = parse_json(result, "result", kLimits);
  if (!parsed) return std::nullopt;
  const json::object& object = parsed->get_object();
  const json::array* content = array_in(object, kContent);
  const json::value* structured = object.if_contains(kStructured);
  const size_t known = structured != nullptr ? 2 : 1;
  if (content == nullptr || object.size() != known) return std::nullopt;
  const std::string canonical = structured != nullptr ? to_canonical_json(*structured) : "";
  std::string text;
  for (const json::value& block : *content) {
    if (structured != nullptr && says(block, canonical)) structured = nullptr;
    const auto shown = of_block(block);
    if (!shown) return std::nullopt;
    if (!text.empty() && !shown->empty()) text += '\n';
    text += *shown;
  }
  if (structured != nullptr) {
    if (!text.empty()) text += '\n';
    text += canonical;
  }
  return text;
}

}  // namespace perdure
