#pragma once
// JSON-RPC 2.0 as MCP narrows it (https://modelcontextprotocol.io/specification/2025-11-25/basic):
// ids are strings or integers, params and results are objects. Bytes in, messages out, and back.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace perdure::mcp {

inline constexpr int64_t kParseError = -32700;
inline constexpr int64_t kInvalidRequest = -32600;
inline constexpr int64_t kMethodNotFound = -32601;
inline constexpr int64_t kInvalidParams = -32602;
inline constexpr int64_t kUrlElicitationRequired = -32042;

struct RpcError {
  int64_t code = 0;
  std::string message;
};

struct Message {
  enum class Kind : uint8_t { kRequest, kNotification, kResult, kError };
  Kind kind = Kind::kNotification;
  json::value id;       // of a request, to be sent back as it came
  int64_t answers = 0;  // of a result or an error: the id of our request; 0 if it names none
  std::string method;
  json::object body;  // params, or result
  RpcError error;
};

inline constexpr size_t kBatchMax = 100;

// One frame: a message; or, where `batches` (revision 2025-03-26), an array of them. An error says
// what is wrong with it; a batch is good as a whole or not at all.
Result<std::vector<Message>> read_frame(std::string_view frame, bool batches, size_t max_bytes);

// Without line ends, so that each is a line.
std::string request_text(int64_t id, std::string_view method, json::object params);
std::string notification_text(std::string_view method, json::object params);
std::string result_text(const json::value& id, json::object result);
std::string error_text(const json::value& id, int64_t code, std::string_view message);

}  // namespace perdure::mcp
