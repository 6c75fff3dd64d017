#include "journal/message_json.h"

#include <gtest/gtest.h>

namespace perdure {
namespace {

TEST(AnswerJson, SaysWhatWasTakenOut) {
  ModelAnswer answer;
  answer.stop = ModelAnswer::Stop::kMalformedCall;
  answer.stop_detail = "no such function";
  const std::string text = answer_to_json(answer);
  EXPECT_EQ(text, R"({"stop_reason":"malformed_call","stop_detail":"no such function"})");
  const auto again = answer_from_json(text);
  ASSERT_TRUE(again) << again.error().message;
  EXPECT_EQ(again->stop, answer.stop);
  EXPECT_EQ(again->stop_detail, answer.stop_detail);
}

TEST(AnswerJson, KeepsEveryByte) {
  ModelAnswer answer;
  answer.text = "gr\xC3\xBC\xC3\x9F";
  answer.calls = {{"c1", "shop.find", "{ \"a\" : 1 }"}};
  answer.stop = ModelAnswer::Stop::kPaused;
  answer.model = "m";
  answer.response_id = "r";
  answer.input_tokens = 100;
  answer.output_tokens = 20;
  answer.cached_input_tokens = 60;
  answer.cache_write_tokens = 30;
  answer.reasoning_tokens = 10;
  answer.raw = {"anthropic", R"([{ "type":"thinking" , "signature":"\u00e9\/" }])"};
  const auto read = answer_from_json(answer_to_json(answer));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->raw.dialect, answer.raw.dialect);
  EXPECT_EQ(read->raw.items, answer.raw.items);
  EXPECT_EQ(read->stop, answer.stop);
  EXPECT_EQ(read->cached_input_tokens, 60);
  EXPECT_EQ(read->cache_write_tokens, 30);
  EXPECT_EQ(read->reasoning_tokens, 10);
  EXPECT_EQ(answer_to_json(*read), answer_to_json(answer));
}

// What the first version stored, byte by byte.
TEST(AnswerJson, ReadsAndWritesWhatTheFirstVersionWrote) {
  const std::string old =
      R"({"text":"hi","refusal":"no","calls":[{"id":"a","name":"n","arguments":"{}"}],)"
      R"("stop_reason":"tool_calls","model":"m","response_id":"r","input_tokens":7,)"
      R"("output_tokens":3})";
  const auto read = answer_from_json(old);
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_TRUE(read->raw.dialect.empty());
  EXPECT_EQ(read->cached_input_tokens, 0);
  EXPECT_EQ(answer_to_json(*read), old);
}

TEST(AnswerJson, DamageIsAnError) {
  for (const char* text :
       {"", "[]", R"({"stop_reason":"other"})", R"({"stop_reason":"end_turn","raw":{}})",
        R"({"stop_reason":"end_turn","raw":{"dialect":"a","items":[]}})",
        R"({"stop_reason":"end_turn","cached_input_tokens":-1})"}) {
    EXPECT_FALSE(answer_from_json(text)) << text;
  }
}

}  // namespace
}  // namespace perdure
