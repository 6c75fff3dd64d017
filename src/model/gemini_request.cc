#include "model/gemini_request.h"

#include <map>

#include "base/json.h"
#include "model/extra_members.h"
#include "model/json_text.h"
#include "model/message_parts.h"

namespace perdure {
namespace {

constexpr std::string_view kForeignSignature = "skip_thought_signature_validator";

// What the answer to a call has to repeat of it.
struct Asked {
  std::string name;     // of the wire
  bool has_id = false;  // the call that goes back carries its id
};

class Contents {
 public:
  Contents(std::string& out, const ToolNames& names) : out_(out), names_(names) {}

  void put(const Message& message) {
    switch (message.role) {
      case Message::Role::kSystem:
        return;
      case Message::Role::kUser:
        open("user", Parts::kWords);
        return put_text(message.text);
      case Message::Role::kAssistant:
        return put_model(message);
      case Message::Role::kTool:
        open("user", Parts::kResults);
        return put_result(message);
    }
  }
  void close() {
    if (parts_ != Parts::kNone) out_ += "]}";
    parts_ = Parts::kNone;
  }

 private:
  enum class Parts : uint8_t { kNone, kWords, kResults, kModel };

  // The place of one more part. Neighbours of one kind stand in one content, as the roles have to
  // take turns. Words do not join results, though both are the user's: Gemini 3 may then answer
  // nothing at all.
  void open(std::string_view role, Parts parts) {
    if (parts == parts_) {
      out_ += ',';
      return;
    }
    close();
    if (!is_first_) out_ += ',';
    is_first_ = false;
    out_ += R"({"role":")";
    out_ += role;
    out_ += R"(","parts":[)";
    parts_ = parts;
  }

  void put_text(std::string_view text) {
    out_ += R"({"text":)";
    put_json_string(out_, text);
    out_ += '}';
  }

  void put_model(const Message& message) {
    const std::string_view own = own_items(message, kGeminiDialect);
    for (const ToolCall& call : message.calls) {
      // The id that we gave to a call without one does not stand among its parts.
      std::string id_member = R"("id":)";
      put_json_string(id_member, call.id);
      const bool has_id = own.empty() || own.find(id_member) != std::string_view::npos;
      asked_[call.id] = {names_.to_wire(call.name), has_id};
    }
    const std::string& said = words_of(message);
    if (own.empty() && said.empty() && message.calls.empty()) return;  // a content needs a part
    open("model", Parts::kModel);
    if (!own.empty()) {
      out_ += own;
      return;
    }
    if (!said.empty()) put_text(said);
    for (size_t i = 0; i < message.calls.size(); ++i) {
      if (i > 0 || !said.empty()) out_ += ',';
      put_call(message.calls[i], i == 0);
    }
  }

  void put_call(const ToolCall& call, bool is_first) {
    out_ += R"({"functionCall":{"id":)";
    put_json_string(out_, call.id);
    out_ += R"(,"name":)";
    put_json_string(out_, names_.to_wire(call.name));
    out_ += R"(,"args":)";
    put_json_object(out_, call.arguments);
    out_ += '}';
    if (is_first) {
      out_ += R"(,"thoughtSignature":)";
      put_json_string(out_, kForeignSignature);
    }
    out_ += '}';
  }

  void put_result(const Message& message) {
    const Asked& asked = asked_[message.call_id];
    out_ += R"({"functionResponse":{)";
    if (asked.has_id) {
      out_ += R"("id":)";
      put_json_string(out_, message.call_id);
      out_ += ',';
    }
    out_ += R"("name":)";
    put_json_string(out_, asked.name);
    out_ += message.is_error ? R"(,"response":{"error":)" : R"(,"response":{"output":)";
    put_json_string(out_, message.text);
    out_ += "}}}";
  }

  std::string& out_;
  const ToolNames& names_;
  std::map<std::string, Asked> asked_;
  Parts parts_ = Parts::kNone;  // of the open content
  bool is_first_ = true;
};

void put_system(std::string& out, const ModelRequest& request) {
  bool any = false;
  for (const Message& message : request.messages) {
    if (message.role != Message::Role::kSystem) continue;
    out += any ? "," : R"(,"systemInstruction":{"parts":[)";
    any = true;
    out += R"({"text":)";
    put_json_string(out, message.text);
    out += '}';
  }
  if (any) out += "]}";
}

void put_tool(std::string& out, const ToolDeclaration& tool, const ToolNames& names) {
  out += R"({"name":)";
  put_json_string(out, names.to_wire(tool.name));
  out += R"(,"description":)";  // required
  put_json_string(out, tool.description);
  if (!tool.input_schema.empty()) {
    out += R"(,"parametersJsonSchema":)";
    out += tool.input_schema;
  }
  out += '}';
}

void put_tools(std::string& out, const ModelRequest& request, const ToolNames& names) {
  if (request.tools.empty()) return;
  out += R"(,"tools":[{"functionDeclarations":[)";
  for (size_t i = 0; i < request.tools.size(); ++i) {
    if (i > 0) out += ',';
    put_tool(out, request.tools[i], names);
  }
  out += "]}]";
}

}  // namespace

std::string encode_gemini(const ModelRequest& request, const ModelConfig& config) {
  const ToolNames names(request.tools);
  std::string out = R"({"contents":[)";
  Contents contents(out, names);
  for (const Message& message : request.messages) contents.put(message);
  contents.close();
  out += ']';
  put_system(out, request);
  put_tools(out, request, names);
  put_with_extra(out, "generationConfig", "maxOutputTokens", output_tokens_max(request, config),
                 config.extra);
  out += '}';
  return out;
}

}  // namespace perdure
