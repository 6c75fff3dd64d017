#include "tool/mcp/json_rpc.h"

#include <fmt/core.h>

#include "base/text.h"

namespace perdure::mcp {
namespace {

constexpr size_t kMethodMaxBytes = 256;
constexpr size_t kIdMaxBytes = 256;
constexpr size_t kErrorMaxBytes = 4096;

bool is_id(const json::value* id) {
  if (id == nullptr) return false;
  return id->is_int64() || id->is_uint64() ||
         (id->is_string() && id->get_string().size() <= kIdMaxBytes);
}

Result<json::object> object_member(const json::object& object, std::string_view name) {
  const json::value* value = object.if_contains(name);
  if (value == nullptr) return json::object();
  if (!value->is_object()) return fail(Code::kInvalid, fmt::format("{} is not an object", name));
  return value->get_object();
}

Result<Message> read_call(const json::object& object, const json::value& method) {
  if (!method.is_string() || method.get_string().size() > kMethodMaxBytes) {
    return fail(Code::kInvalid, "the method is not a name");
  }
  Message message;
  message.method = method.get_string();
  TRY_ASSIGN(message.body, object_member(object, "params"));
  if (const json::value* id = object.if_contains("id"); id != nullptr) {
    if (!is_id(id)) return fail(Code::kInvalid, "the id of a request is no string and no integer");
    message.kind = Message::Kind::kRequest;
    message.id = *id;
  }
  return message;
}

Result<RpcError> read_error(const json::value& value) {
  const json::object* object = value.if_object();
  const json::value* code = object == nullptr ? nullptr : object->if_contains("code");
  const json::value* text = object == nullptr ? nullptr : object->if_contains("message");
  if (code == nullptr || !code->is_int64() || text == nullptr || !text->is_string()) {
    return fail(Code::kInvalid, "the error has no code and message");
  }
  RpcError error{code->get_int64(), std::string(text->get_string())};
  error.message.resize(beginning(error.message, kErrorMaxBytes).size());
  return error;
}

Result<Message> read_answer(const json::object& object) {
  const json::value* result = object.if_contains("result");
  const json::value* error = object.if_contains("error");
  if ((result == nullptr) == (error == nullptr)) {
    return fail(Code::kInvalid, "it has no method, and not one of result and error");
  }
  Message message;
  // Ours are integers. An error about a request that could not be read has null, or no id.
  const json::value* id = object.if_contains("id");
  if (id != nullptr && id->is_int64()) message.answers = id->get_int64();
  if (result != nullptr && message.answers == 0) {
    return fail(Code::kInvalid, "the result names no request of ours");
  }
  if (result != nullptr) {
    message.kind = Message::Kind::kResult;
    TRY_ASSIGN(message.body, object_member(object, "result"));
  } else {
    message.kind = Message::Kind::kError;
    TRY_ASSIGN(message.error, read_error(*error));
  }
  return message;
}

Result<Message> read_message(const json::value& value) {
  const json::object* object = value.if_object();
  if (object == nullptr) return fail(Code::kInvalid, "it is not an object");
  const json::value* version = object->if_contains("jsonrpc");
  if (version == nullptr || *version != "2.0") {
    return fail(Code::kInvalid, "it does not say \"jsonrpc\":\"2.0\"");
  }
  const json::value* method = object->if_contains("method");
  return method == nullptr ? read_answer(*object) : read_call(*object, *method);
}

std::string text_of(json::object message) {
  message["jsonrpc"] = "2.0";
  return to_json(message);
}

}  // namespace

Result<std::vector<Message>> read_frame(std::string_view frame, bool batches, size_t max_bytes) {
  JsonLimits limits;
  limits.size_bytes = max_bytes;
  TRY_ASSIGN(const json::value value, parse_json(frame, "message", limits));
  std::vector<Message> messages;
  if (!batches || !value.is_array()) {
    TRY_ASSIGN(Message message, read_message(value));
    messages.push_back(std::move(message));
    return messages;
  }
  const json::array& batch = value.get_array();
  if (batch.empty() || batch.size() > kBatchMax) {
    return fail(Code::kInvalid, fmt::format("a batch has 1 to {} messages", kBatchMax));
  }
  for (const json::value& item : batch) {
    TRY_ASSIGN(Message message, read_message(item));
    messages.push_back(std::move(message));
  }
  return messages;
}

std::string request_text(int64_t id, std::string_view method, json::object params) {
  json::object message{{"id", id}, {"method", method}};
  if (!params.empty()) message["params"] = std::move(params);
  return text_of(std::move(message));
}

std::string notification_text(std::string_view method, json::object params) {
  json::object message{{"method", method}};
  if (!params.empty()) message["params"] = std::move(params);
  return text_of(std::move(message));
}

std::string result_text(const json::value& id, json::object result) {
  return text_of({{"id", id}, {"result", std::move(result)}});
}

std::string error_text(const json::value& id, int64_t code, std::string_view message) {
  return text_of({{"id", id}, {"error", json::object{{"code", code}, {"message", message}}}});
}

}  // namespace perdure::mcp
