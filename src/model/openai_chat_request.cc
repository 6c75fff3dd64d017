#include "model/openai_chat_request.h"

#include "model/extra_members.h"
#include "model/json_text.h"
#include "model/message_parts.h"

namespace perdure {
namespace {

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
  out += R"({"type":"function","function":{)";
  put_name_and_description(out, tool, names);
  if (!tool.input_schema.empty()) {
    out += R"(,"parameters":)";
    out += tool.input_schema;
  }
  out += "}}";
}

}  // namespace

std::string encode_openai_chat(const ModelRequest& request, const ModelConfig& config) {
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
  out += std::to_string(output_tokens_max(request, config));
  put_extra(out, config.extra);
  out += '}';
  return out;
}

}  // namespace perdure
