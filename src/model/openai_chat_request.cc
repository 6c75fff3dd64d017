#include "model/openai_chat_request.h"

#include "base/hash.h"
#include "base/text.h"
#include "model/json_text.h"

namespace perdure {
namespace {

constexpr size_t kToolNameMaxBytes = 64;

bool is_wire_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '-';
}

std::string plain_wire_name(std::string_view name) {
  std::string wire;
  for (const char c : name) {
    if (is_wire_byte(c)) {
      wire += c;
    } else {
      wire += c == '.' ? "__" : "_";
    }
  }
  if (wire.empty()) wire = "_";
  if (wire.size() <= kToolNameMaxBytes) return wire;
  const std::string mark = "_" + to_hex(sha256(name).view().substr(0, 4));
  return wire.substr(0, kToolNameMaxBytes - mark.size()) + mark;
}

void put_call(std::string& out, const ToolCall& call, const ToolNames& names) {
  out += R"({"id":)";
  put_json_string(out, call.id);
  out += R"(,"type":"function","function":{"name":)";
  put_json_string(out, names.to_wire(call.name));
  out += R"(,"arguments":)";
  put_json_string(out, call.arguments);
  out += "}}";
}

void put_assistant(std::string& out, const Message& message, const ToolNames& names) {
  out += R"({"role":"assistant","content":)";
  const bool has_other = !message.calls.empty() || !message.refusal.empty();
  if (message.text.empty() && has_other) {
    out += "null";
  } else {
    put_json_string(out, message.text);
  }
  if (!message.refusal.empty()) {
    out += R"(,"refusal":)";
    put_json_string(out, message.refusal);
  }
  if (!message.calls.empty()) {
    out += R"(,"tool_calls":[)";
    for (size_t i = 0; i < message.calls.size(); ++i) {
      if (i > 0) out += ',';
      put_call(out, message.calls[i], names);
    }
    out += ']';
  }
  out += '}';
}

void put_message(std::string& out, const Message& message, const ToolNames& names) {
  switch (message.role) {
    case Message::Role::kAssistant:
      return put_assistant(out, message, names);
    case Message::Role::kSystem:
      out += R"({"role":"system")";
      break;
    case Message::Role::kUser:
      out += R"({"role":"user")";
      break;
    case Message::Role::kTool:
      out += R"({"role":"tool","tool_call_id":)";
      put_json_string(out, message.call_id);
      break;
  }
  out += R"(,"content":)";
  put_json_string(out, message.text);
  out += '}';
}

void put_tool(std::string& out, const ToolDeclaration& tool, const ToolNames& names) {
  out += R"({"type":"function","function":{"name":)";
  put_json_string(out, names.to_wire(tool.name));
  if (!tool.description.empty()) {
    out += R"(,"description":)";
    put_json_string(out, tool.description);
  }
  if (!tool.input_schema.empty()) {
    out += R"(,"parameters":)";
    out += tool.input_schema;
  }
  out += "}}";
}

}  // namespace

ToolNames::ToolNames(const std::vector<ToolDeclaration>& tools) {
  // Names that need no change keep themselves, wherever they stand in the list.
  for (const ToolDeclaration& tool : tools) {
    if (plain_wire_name(tool.name) == tool.name) from_wire_.emplace(tool.name, tool.name);
  }
  for (const ToolDeclaration& tool : tools) {
    std::string wire = plain_wire_name(tool.name);
    for (int n = 2; from_wire_.contains(wire) && from_wire_[wire] != tool.name; ++n) {
      const std::string mark = "_" + std::to_string(n);
      wire = plain_wire_name(tool.name).substr(0, kToolNameMaxBytes - mark.size()) + mark;
    }
    from_wire_.emplace(wire, tool.name);
    to_wire_.emplace(tool.name, wire);
  }
}

std::string ToolNames::to_wire(std::string_view name) const {
  const auto found = to_wire_.find(name);
  return found != to_wire_.end() ? found->second : plain_wire_name(name);
}

std::string ToolNames::from_wire(std::string_view wire) const {
  const auto found = from_wire_.find(wire);
  return found != from_wire_.end() ? found->second : std::string(wire);
}

int64_t max_output_tokens(const ModelRequest& request, const ModelConfig& config) {
  return request.max_output_tokens > 0 ? request.max_output_tokens : config.max_output_tokens;
}

std::string encode_request(const ModelRequest& request, const ModelConfig& config) {
  const ToolNames names(request.tools);
  std::string out = R"({"model":)";
  put_json_string(out, config.model);
  out += R"(,"messages":[)";
  for (size_t i = 0; i < request.messages.size(); ++i) {
    if (i > 0) out += ',';
    put_message(out, request.messages[i], names);
  }
  out += ']';
  if (!request.tools.empty()) {
    out += R"(,"tools":[)";
    for (size_t i = 0; i < request.tools.size(); ++i) {
      if (i > 0) out += ',';
      put_tool(out, request.tools[i], names);
    }
    out += ']';
  }
  out += R"(,"stream":true,"stream_options":{"include_usage":true})";
  out += config.max_tokens_member == ModelConfig::MaxTokensMember::kMaxTokens
             ? R"(,"max_tokens":)"
             : R"(,"max_completion_tokens":)";
  out += std::to_string(max_output_tokens(request, config));
  if (config.extra.size() > 2) {
    out += ',';
    out += std::string_view(config.extra).substr(1, config.extra.size() - 2);
  }
  out += '}';
  return out;
}

}  // namespace perdure
