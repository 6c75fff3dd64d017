#include "provider_rules.h"

#include <gtest/gtest.h>

namespace perdure::test {
namespace {

Message user(std::string text) {
  Message message;
  message.text = std::move(text);
  return message;
}

Message asks(std::vector<std::string> ids) {
  Message message;
  message.role = Message::Role::kAssistant;
  for (std::string& id : ids) message.calls.push_back({std::move(id), "look", "{}"});
  return message;
}

Message told(std::string id, std::string text = "ok") {
  Message message;
  message.role = Message::Role::kTool;
  message.call_id = std::move(id);
  message.text = std::move(text);
  return message;
}

TEST(ProviderRules, AcceptWhatProvidersAccept) {
  EXPECT_EQ(broken_rule({user("hi")}), std::nullopt);
  EXPECT_EQ(
      broken_rule({user("hi"), asks({"a", "b"}), told("a"), told("b"), asks({"a"}), told("a")}),
      std::nullopt);
}

TEST(ProviderRules, RefuseWhatProvidersRefuse) {
  const std::vector<std::vector<Message>> wrong = {
      {},
      {user("")},
      {asks({"a"}), told("a")},
      {user("hi"), asks({})},
      {user("hi"), asks({"a"})},
      {user("hi"), asks({"a", "b"}), told("a")},
      {user("hi"), asks({"a", "b"}), told("b"), told("a")},
      {user("hi"), asks({"a"}), told("a"), told("a")},
      {user("hi"), asks({"a", "a"}), told("a"), told("a")},
      {user("hi"), asks({""}), told("")},
      {user("hi"), asks({"a"}), told("a", "")},
      {user("hi"), asks({"a"}), user("no"), told("a")},
      {user("hi"), told("a")},
  };
  for (size_t i = 0; i < wrong.size(); ++i) EXPECT_NE(broken_rule(wrong[i]), std::nullopt) << i;
}

}  // namespace
}  // namespace perdure::test
