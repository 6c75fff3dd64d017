#include "provider_rules.h"

#include <set>

namespace perdure::test {
namespace {

using Role = Message::Role;

std::optional<std::string> broken_in_answer(const Message& answer) {
  if (answer.calls.empty() && answer.text.empty()) return "an answer that says nothing";
  std::set<std::string> ids;
  for (const ToolCall& call : answer.calls) {
    if (call.id.empty()) return "a call without id";
    if (!ids.insert(call.id).second) return "two calls with one id";
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> broken_rule(const std::vector<Message>& messages) {
  size_t at = 0;
  if (at < messages.size() && messages[at].role == Role::kSystem) ++at;
  if (at >= messages.size() || messages[at].role != Role::kUser)
    return "does not begin with a user";
  Role last = Role::kUser;
  for (; at < messages.size(); ++at) {
    const Message& message = messages[at];
    if (message.role == Role::kSystem) return "a system message inside";
    if (message.role == Role::kTool) return "a result without its call directly before it";
    if (message.role == Role::kUser) {
      if (message.text.empty()) return "an empty user message";
      last = Role::kUser;
      continue;
    }
    if (last == Role::kAssistant) return "two answers in a row";
    if (auto broken = broken_in_answer(message)) return broken;
    for (const ToolCall& call : message.calls) {
      ++at;
      if (at >= messages.size() || messages[at].role != Role::kTool) return "a call without result";
      if (messages[at].call_id != call.id) return "results in another order than the calls";
      if (messages[at].text.empty()) return "an empty result";
    }
    last = message.calls.empty() ? Role::kAssistant : Role::kTool;
  }
  return std::nullopt;
}

}  // namespace perdure::test
