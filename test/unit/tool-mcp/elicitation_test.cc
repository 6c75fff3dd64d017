// Questions of a server, and the answers that may be sent to it.
#include "tool/mcp/elicitation.h"

#include <gtest/gtest.h>

namespace perdure::mcp {
namespace {

json::object object(std::string_view text) {
  return parse_json(text, "test").value().get_object();
}

constexpr std::string_view kForm = R"({"type":"object","properties":{
  "name":{"type":"string","default":"John Doe"},
  "age":{"type":"integer","default":30},
  "score":{"type":"number","default":95.5},
  "status":{"type":"string","enum":["active","inactive"],"default":"active"},
  "colour":{"type":"string","oneOf":[{"const":"#f00","title":"Red"},{"const":"#0f0","title":"Green"}]},
  "tags":{"type":"array","items":{"type":"string","enum":["a","b"]},"default":["a"]},
  "verified":{"type":"boolean","default":true}},"required":["status"]})";

TEST(ElicitationTest, WhatIsLeftOutHasItsDefault) {
  const auto answer = complete_answer(object(kForm), object(R"({"age":31})"));
  ASSERT_TRUE(answer) << answer.error().message;
  EXPECT_EQ(to_canonical_json(*answer), to_canonical_json(object(R"({"name":"John Doe","age":31,
    "score":95.5,"status":"active","tags":["a"],"verified":true})")));
}

TEST(ElicitationTest, WhatDoesNotFitIsNamed) {
  struct Case {
    const char* filled;
    const char* says;
  };
  const Case kCases[] = {
      {R"({"age":"31"})", "'age'"},         {R"({"age":1.5})", "'age'"},
      {R"({"status":"gone"})", "'status'"}, {R"({"colour":"Red"})", "'colour'"},
      {R"({"tags":["c"]})", "'tags'"},      {R"({"tags":"a"})", "'tags'"},
      {R"({"other":1})", "'other'"},        {R"({"verified":null})", "'verified'"}};
  for (const Case& c : kCases) {
    const auto answer = complete_answer(object(kForm), object(c.filled));
    ASSERT_FALSE(answer) << c.filled;
    EXPECT_NE(answer.error().message.find(c.says), std::string::npos) << answer.error().message;
  }
  const auto missing =
      complete_answer(object(R"({"properties":{"a":{"type":"string"}},"required":["a"]})"), {});
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().message, "'a' is missing");
}

// A default that its own schema forbids is none.
TEST(ElicitationTest, ADefaultThatDoesNotFitIsLeftOut) {
  const auto answer =
      complete_answer(object(R"({"properties":{"a":{"type":"integer","default":"x"}}})"), {});
  ASSERT_TRUE(answer);
  EXPECT_TRUE(answer->empty());
}

TEST(ElicitationTest, AQuestionIsAFlatForm) {
  const char* const kRefused[] = {
      R"({})",
      R"({"message":"m"})",
      R"({"message":1,"requestedSchema":{"properties":{}}})",
      R"({"message":"m","requestedSchema":{}})",
      R"({"message":"m","requestedSchema":{"properties":{"a":{"type":"object"}}}})",
      R"({"message":"m","requestedSchema":{"properties":{"a":1}}})",
      R"({"message":"m","mode":"url","url":"https://x","elicitationId":"1"})"};
  for (const char* params : kRefused) EXPECT_FALSE(read_question(object(params))) << params;
  EXPECT_TRUE(read_question(object(
      R"({"mode":"form","message":"m","requestedSchema":{"properties":{"a":{"type":"string"}}}})")));
}

}  // namespace
}  // namespace perdure::mcp
