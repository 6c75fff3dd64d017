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

// An assistant's items as its provider wrote them, kept beside the canonical fields where those do
// not hold all: thinking with its signature, encrypted reasoning, the order of blocks. They go back
// byte by byte to a codec of the same dialect; any other renders the canonical fields.
struct RawItems {
  std::string dialect;  // empty: the canonical fields say it all
  std::string items;    // JSON text, an array
};

struct Message {
  enum class Role : uint8_t { kSystem, kUser, kAssistant, kTool };
  Role role = Role::kUser;
  std::string text;
  std::vector<ToolCall> calls;  // kAssistant
  std::string refusal;          // kAssistant
  RawItems raw;                 // kAssistant
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
  int64_t max_output_tokens = 0;  // 0: as the operator's file says of the model
};

// One answer. As a payload it is JSON: journal/message_json.h.
struct ModelAnswer {
  // Numbers are not stored; their words are.
  enum class Stop : uint8_t {
    kEndTurn,
    kToolCalls,
    kTruncated,
    kRefusal,
    kPaused,           // the provider wants to be called again with this answer as the last message
    kContextOverflow,  // the model's context ended before the answer did
    // The provider took calls out of the answer: it could not read one, or there were too many.
    kMalformedCall,
    kTooManyCalls,
  };
  std::string text;
  std::string refusal;
  std::vector<ToolCall> calls;
  Stop stop = Stop::kEndTurn;
  std::string stop_detail{};  // kMalformedCall, kTooManyCalls: what the provider says of it
  std::string model;
  std::string response_id;
  int64_t input_tokens = -1;   // all of them, cached or not; -1: the provider did not say
  int64_t output_tokens = -1;  // with those of reasoning
  // Parts of the above; 0 also when nobody said.
  int64_t cached_input_tokens = 0;  // read from the provider's cache
  int64_t cache_write_tokens = 0;   // written to it
  int64_t reasoning_tokens = 0;
  RawItems raw;
};

}  // namespace perdure
