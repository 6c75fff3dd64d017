#pragma once
// Messages for tests of requests.
#include <string>

#include "journal/message.h"

namespace perdure::test {

inline Message message(Message::Role role, std::string text) {
  Message out;
  out.role = role;
  out.text = std::move(text);
  return out;
}

inline Message result(std::string call_id, std::string text, bool is_error = false) {
  Message out = message(Message::Role::kTool, std::move(text));
  out.call_id = std::move(call_id);
  out.is_error = is_error;
  return out;
}

// One of everything: two calls whose arguments have to be kept as they are, their results, tools.
inline ModelRequest conversation(std::string said) {
  Message assistant = message(Message::Role::kAssistant, std::move(said));
  assistant.calls = {{"call_1", "shop.find", "{ \"id\" : 42.0 }"}, {"call_2", "clock", ""}};
  ModelRequest request;
  request.messages = {message(Message::Role::kSystem, "Be brief."),
                      message(Message::Role::kUser, "Where is order 42?\n"),
                      assistant,
                      result("call_1", R"({"at":"sea"})"),
                      result("call_2", "no clock", true),
                      message(Message::Role::kUser, "And now?")};
  request.tools = {{"shop.find", "Finds \"orders\".", R"({ "type":"object" })"}, {"clock", "", ""}};
  return request;
}

}  // namespace perdure::test
