#include "model/bedrock_request.h"

#include "model/extra_members.h"
#include "model/json_text.h"
#include "model/message_parts.h"

namespace perdure {
namespace {

void put_text_block(std::string& out, std::string_view text) {
  out += R"({"text":)";
  put_json_string(out, text);
  out += '}';
}

// The roles have to take turns, and no text may be blank: what follows in the same role joins the
// message that stands open.
class Messages {
 public:
  Messages(std::string& out, const ToolNames& names) : out_(out), names_(names) {}

  void put(const Message& message) {
    switch (message.role) {
      case Message::Role::kSystem:
        return;
      case Message::Role::kUser:
        return put_text("user", message.text);
      case Message::Role::kAssistant:
        return put_assistant(message);
      case Message::Role::kTool:
        block("user");
        return put_result(message);
    }
  }
  void close() {
    if (!role_.empty()) out_ += "]}";
    role_ = {};
  }

 private:
  // The place of one more block in a message of this role.
  void block(std::string_view role) {
    if (role == role_) {
      out_ += ',';
      return;
    }
    close();
    if (!is_first_) out_ += ',';
    is_first_ = false;
    out_ += R"({"role":")";
    out_ += role;
    out_ += R"(","content":[)";
    role_ = role;
  }

  void put_text(std::string_view role, std::string_view text) {
    if (is_blank(text)) return;
    block(role);
    put_text_block(out_, text);
  }

  void put_assistant(const Message& message) {
    if (const auto own = own_items(message, kBedrockDialect); !own.empty()) {
      block("assistant");
      out_ += own;
      return;
    }
    put_text("assistant", words_of(message));
    for (const ToolCall& call : message.calls) {
      block("assistant");
      out_ += R"({"toolUse":{"toolUseId":)";
      put_json_string(out_, call.id);
      out_ += R"(,"name":)";
      put_json_string(out_, names_.to_wire(call.name));
      out_ += R"(,"input":)";
      put_json_object(out_, call.arguments);
      out_ += "}}";
    }
  }

  void put_result(const Message& message) {
    out_ += R"({"toolResult":{"toolUseId":)";
    put_json_string(out_, message.call_id);
    out_ += R"(,"content":[)";
    if (!is_blank(message.text)) put_text_block(out_, message.text);
    out_ += message.is_error ? R"(],"status":"error"}})" : R"(],"status":"success"}})";
  }

  std::string& out_;
  const ToolNames& names_;
  std::string_view role_;  // of the open message; empty: none is open
  bool is_first_ = true;
};

void put_system(std::string& out, const ModelRequest& request) {
  bool any = false;
  for (const Message& message : request.messages) {
    if (message.role != Message::Role::kSystem || is_blank(message.text)) continue;
    out += any ? "," : R"(,"system":[)";
    any = true;
    put_text_block(out, message.text);
  }
  if (any) out += ']';
}

void put_tools(std::string& out, const ModelRequest& request, const ToolNames& names) {
  if (request.tools.empty()) return;
  out += R"(,"toolConfig":{"tools":[)";
  for (size_t i = 0; i < request.tools.size(); ++i) {
    const ToolDeclaration& tool = request.tools[i];
    out += i > 0 ? R"(,{"toolSpec":{)" : R"({"toolSpec":{)";
    put_name_and_description(out, tool, names);
    out += R"(,"inputSchema":{"json":)";  // required
    out += tool.input_schema.empty() ? R"({"type":"object"})" : tool.input_schema;
    out += "}}}";
  }
  out += "]}";
}

}  // namespace

std::string encode_bedrock(const ModelRequest& request, const ModelConfig& config) {
  const ToolNames names(request.tools);
  std::string out = R"({"messages":[)";
  Messages messages(out, names);
  for (const Message& message : request.messages) messages.put(message);
  messages.close();
  out += ']';
  put_system(out, request);
  put_tools(out, request, names);
  put_with_extra(out, "inferenceConfig", "maxTokens", output_tokens_max(request, config),
                 config.extra);
  out += '}';
  return out;
}

}  // namespace perdure
