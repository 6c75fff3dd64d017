#include "model/message_parts.h"

#include "model/json_text.h"

namespace perdure {

std::string_view own_items(const Message& message, std::string_view dialect) {
  const std::string& items = message.raw.items;
  if (message.raw.dialect != dialect || items.size() < 2) return {};
  const std::string_view inner = std::string_view(items).substr(1, items.size() - 2);
  return is_blank(inner) ? std::string_view() : inner;
}

const std::string& words_of(const Message& message) {
  return message.text.empty() ? message.refusal : message.text;
}

void put_name_and_description(std::string& out, const ToolDeclaration& tool,
                              const ToolNames& names) {
  out += R"("name":)";
  put_json_string(out, names.to_wire(tool.name));
  if (tool.description.empty()) return;
  out += R"(,"description":)";
  put_json_string(out, tool.description);
}

}  // namespace perdure
