#include "model/openai_responses_request.h"

#include "model/call_ids.h"
#include "model/extra_members.h"
#include "model/json_text.h"
#include "model/message_parts.h"

namespace perdure {
namespace {

class InputWriter {
 public:
  InputWriter(std::string& out, const ToolNames& names) : out_(out), names_(names) {}

  void put(const Message& message) {
    switch (message.role) {
      case Message::Role::kSystem:
        return put_words("system", message.text);
      case Message::Role::kUser:
        return put_words("user", message.text);
      case Message::Role::kAssistant:
        return put_assistant(message);
      case Message::Role::kTool:
        return put_result(message);
    }
  }

 private:
  void begin_item() {
    if (!first_) out_ += ',';
    first_ = false;
  }
  void put_words(std::string_view role, std::string_view text) {
    begin_item();
    out_ += R"({"role":")";
    out_ += role;
    out_ += R"(","content":)";
    put_json_string(out_, text);
    out_ += '}';
  }
  void put_assistant(const Message& message) {
    if (const auto own = own_items(message, kOpenAiResponsesDialect); !own.empty()) {
      begin_item();
      out_ += own;
      return;
    }
    const std::string& words = words_of(message);
    if (!words.empty() || message.calls.empty()) put_words("assistant", words);
    for (const ToolCall& call : message.calls) put_call(call);
  }
  void put_call(const ToolCall& call) {
    begin_item();
    out_ += R"({"type":"function_call","call_id":)";
    put_json_string(out_, wire_call_id(call.id));
    out_ += R"(,"name":)";
    put_json_string(out_, names_.to_wire(call.name));
    out_ += R"(,"arguments":)";
    put_json_string(out_, call.arguments);
    out_ += '}';
  }
  void put_result(const Message& message) {
    begin_item();
    out_ += R"({"type":"function_call_output","call_id":)";
    put_json_string(out_, wire_call_id(message.call_id));
    out_ += R"(,"output":)";
    put_json_string(out_, message.text);
    out_ += '}';
  }

  std::string& out_;
  const ToolNames& names_;
  bool first_ = true;
};

void put_tool(std::string& out, const ToolDeclaration& tool, const ToolNames& names) {
  out += R"({"type":"function",)";
  put_name_and_description(out, tool, names);
  out += R"(,"parameters":)";
  out += tool.input_schema.empty() ? R"({"type":"object","properties":{}})" : tool.input_schema;
  out += R"(,"strict":false})";
}

}  // namespace

std::string encode_openai_responses(const ModelRequest& request, const ModelConfig& config) {
  const ToolNames names(request.tools);
  std::string out = R"({"model":)";
  put_json_string(out, config.model);
  out += R"(,"input":[)";
  InputWriter input(out, names);
  for (const Message& message : request.messages) input.put(message);
  out += ']';
  if (!request.tools.empty()) {
    out += R"(,"tools":[)";
    for (size_t i = 0; i < request.tools.size(); ++i) {
      if (i > 0) out += ',';
      put_tool(out, request.tools[i], names);
    }
    out += ']';
  }
  out += R"(,"max_output_tokens":)" + std::to_string(output_tokens_max(request, config));
  out += config.background ? R"(,"stream":true,"background":true,"store":true)"
                           : R"(,"stream":true,"store":false)";
  out += R"(,"include":["reasoning.encrypted_content"])";
  put_extra(out, config.extra);
  out += '}';
  return out;
}

}  // namespace perdure
