#include "model/anthropic_request.h"

#include <algorithm>
#include <vector>

#include "model/call_ids.h"
#include "model/extra_members.h"
#include "model/json_text.h"
#include "model/message_parts.h"

namespace perdure {
namespace {

constexpr std::string_view kBreakpoint = R"(,"cache_control":{"type":"ephemeral"})";
// The API refuses text without a visible character.
constexpr std::string_view kNoText = "(no text)";

using Role = Message::Role;

// One message on the wire: the blocks of one or more of ours.
struct Turn {
  bool assistant = false;
  // Each without its closing brace, so that a breakpoint can follow.
  std::vector<std::string> results;
  std::vector<std::string> blocks;
};

std::string text_block(std::string_view text) {
  std::string out = R"({"type":"text","text":)";
  put_json_string(out, is_blank(text) ? kNoText : text);
  return out;
}

std::string call_block(const ToolCall& call, const ToolNames& names) {
  std::string out = R"({"type":"tool_use","id":)";
  put_json_string(out, wire_call_id(call.id));
  out += R"(,"name":)";
  put_json_string(out, names.to_wire(call.name));
  out += R"(,"input":)";
  put_json_object(out, call.arguments);
  return out;
}

std::string result_block(const Message& message) {
  std::string out = R"({"type":"tool_result","tool_use_id":)";
  put_json_string(out, wire_call_id(message.call_id));
  out += R"(,"content":)";
  put_json_string(out, message.text);
  if (message.is_error) out += R"(,"is_error":true)";
  return out;
}

void add_assistant(Turn& turn, const Message& message, const ToolNames& names) {
  if (const auto own = own_items(message, kAnthropicDialect); !own.empty()) {
    turn.blocks.push_back(std::string(own.substr(0, own.size() - 1)));
    return;
  }
  std::string words = words_of(message);
  // The API refuses white space at the end of the last message.
  while (!words.empty() && is_blank({&words.back(), 1})) words.pop_back();
  if (!words.empty() || message.calls.empty()) turn.blocks.push_back(text_block(words));
  for (const ToolCall& call : message.calls) turn.blocks.push_back(call_block(call, names));
}

std::vector<Turn> turns_of(const ModelRequest& request, size_t first, const ToolNames& names) {
  std::vector<Turn> turns;
  for (size_t i = first; i < request.messages.size(); ++i) {
    const Message& message = request.messages[i];
    const bool assistant = message.role == Role::kAssistant;
    if (turns.empty() || turns.back().assistant != assistant) {
      turns.emplace_back().assistant = assistant;
    }
    Turn& turn = turns.back();
    if (assistant) {
      add_assistant(turn, message, names);
    } else if (message.role == Role::kTool) {
      turn.results.push_back(result_block(message));
    } else {
      turn.blocks.push_back(text_block(message.text));
    }
  }
  return turns;
}

void put_blocks(std::string& out, const Turn& turn, bool breakpoint) {
  const size_t count = turn.results.size() + turn.blocks.size();
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) out += ',';
    out += i < turn.results.size() ? turn.results[i] : turn.blocks[i - turn.results.size()];
    if (breakpoint && i + 1 == count) out += kBreakpoint;
    out += '}';
  }
}

void put_messages(std::string& out, const std::vector<Turn>& turns, bool cache) {
  size_t users_left =
      std::count_if(turns.begin(), turns.end(), [](const Turn& turn) { return !turn.assistant; });
  out += R"("messages":[)";
  for (size_t i = 0; i < turns.size(); ++i) {
    if (i > 0) out += ',';
    out +=
        turns[i].assistant ? R"({"role":"assistant","content":[)" : R"({"role":"user","content":[)";
    put_blocks(out, turns[i], cache && !turns[i].assistant && users_left <= 2);
    if (!turns[i].assistant) --users_left;
    out += "]}";
  }
  out += ']';
}

void put_tools(std::string& out, const ModelRequest& request, const ToolNames& names, bool cache) {
  out += R"("tools":[)";
  for (size_t i = 0; i < request.tools.size(); ++i) {
    const ToolDeclaration& tool = request.tools[i];
    out += i > 0 ? ",{" : "{";
    put_name_and_description(out, tool, names);
    out += R"(,"input_schema":)";
    out += tool.input_schema.empty() ? R"({"type":"object"})" : tool.input_schema;
    if (cache && i + 1 == request.tools.size()) out += kBreakpoint;
    out += '}';
  }
  out += "],";
}

// The system messages at the front. Later ones have no place on this wire and become words of the
// user.
size_t put_system(std::string& out, const ModelRequest& request, bool cache) {
  size_t count = 0;
  while (count < request.messages.size() && request.messages[count].role == Role::kSystem) ++count;
  if (count == 0) return 0;
  out += R"("system":[)";
  for (size_t i = 0; i < count; ++i) {
    if (i > 0) out += ',';
    out += text_block(request.messages[i].text);
    if (cache && i + 1 == count) out += kBreakpoint;
    out += '}';
  }
  out += "],";
  return count;
}

}  // namespace

std::string encode_anthropic(const ModelRequest& request, const ModelConfig& config) {
  const ToolNames names(request.tools);
  std::string out = R"({"model":)";
  put_json_string(out, config.model);
  out += R"(,"max_tokens":)" + std::to_string(output_tokens_max(request, config)) + ",";
  if (!request.tools.empty()) put_tools(out, request, names, config.prompt_cache);
  const size_t system = put_system(out, request, config.prompt_cache);
  put_messages(out, turns_of(request, system, names), config.prompt_cache);
  out += R"(,"stream":true)";
  put_extra(out, config.extra);
  out += '}';
  return out;
}

}  // namespace perdure
