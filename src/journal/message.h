#pragma once
// The canonical conversation: what the agent loop keeps and every provider codec renders. It is
// built from the journal and is never stored as a whole.
#include <cstdint>
#include <string>
#include <vector>

namespace perdure {

struct ToolCall {
  std::string id;  // the provider's; unique in its answer
  std::string name;
  std::string arguments;  // JSON text, as the model wrote it: goes back byte by byte
};

struct Message {
  enum class Role : uint8_t { kSystem, kUser, kAssistant, kTool };
  Role role = Role::kUser;
  std::string text;
  std::vector<ToolCall> calls;  // kAssistant
  std::string refusal;          // kAssistant
  std::string call_id;          // kTool: the call that this answers
  bool is_error = false;        // kTool
};

struct ToolDeclaration {
  std::string name;
  std::string description;
  std::string input_schema;  // JSON text
};

// One request to a model, before a provider's codec renders it.
struct ModelRequest {
  std::vector<Message> messages;
  std::vector<ToolDeclaration> tools;
  int64_t max_output_tokens = 0;  // 0: the provider's default
};

// One answer. As a payload it is JSON with the members text, refusal, calls[{id, name, arguments}],
// stop_reason, model, response_id (see journal/message_json.h).
struct ModelAnswer {
  enum class Stop : uint8_t { kEndTurn, kToolCalls, kTruncated, kRefusal };
  std::string text;
  std::string refusal;
  std::vector<ToolCall> calls;
  Stop stop = Stop::kEndTurn;
  std::string model;
  std::string response_id;
  int64_t input_tokens = -1;  // -1: the provider did not say
  int64_t output_tokens = -1;
};

}  // namespace perdure
