// Bytes of a server as messages: every split, every kind of nonsense.
#include <gtest/gtest.h>

#include "tool/mcp/json_rpc.h"
#include "tool/mcp/line_reader.h"

namespace perdure::mcp {
namespace {

std::vector<std::string> lines_of(LineReader& reader, std::string_view bytes) {
  std::vector<std::string> lines;
  (void)reader.feed(bytes, [&](std::string_view line) { lines.emplace_back(line); });
  return lines;
}

TEST(LineReaderTest, AnySplitGivesTheSameLines) {
  const std::string text = "one\n\r\n  \ntwo\r\nthree\nrest";
  for (size_t at = 0; at <= text.size(); ++at) {
    LineReader reader(100);
    std::vector<std::string> lines = lines_of(reader, text.substr(0, at));
    for (std::string& line : lines_of(reader, text.substr(at))) lines.push_back(std::move(line));
    EXPECT_EQ(lines, (std::vector<std::string>{"one", "two", "three"})) << at;
  }
}

TEST(LineReaderTest, ALineThatIsTooLongEndsIt) {
  LineReader reader(5);
  EXPECT_EQ(lines_of(reader, "12345\n"), std::vector<std::string>{"12345"});
  const auto none = [](std::string_view) { FAIL(); };
  EXPECT_TRUE(reader.feed("123", none));
  EXPECT_FALSE(reader.feed("456", none));
  EXPECT_FALSE(reader.feed("\n1\n", none)) << "and stays ended";
}

TEST(FrameTest, WhatIsNoMessageIsAnError) {
  const char* const kFrames[] = {
      "",
      "{",
      "null",
      "[]",
      "1",
      "\"x\"",
      "{}",
      "\xff",
      R"({"jsonrpc":"1.0","method":"x"})",
      R"({"method":"x"})",
      R"({"jsonrpc":"2.0","method":1})",
      R"({"jsonrpc":"2.0","method":"x","params":[]})",
      R"({"jsonrpc":"2.0","method":"x","id":null})",
      R"({"jsonrpc":"2.0","method":"x","id":1.5})",
      R"({"jsonrpc":"2.0","id":1})",
      R"({"jsonrpc":"2.0","id":1,"result":[]})",
      R"({"jsonrpc":"2.0","id":"1","result":{}})",
      R"({"jsonrpc":"2.0","result":{}})",
      R"({"jsonrpc":"2.0","id":1,"result":{},"error":{"code":1,"message":""}})",
      R"({"jsonrpc":"2.0","id":1,"error":{}})",
      R"({"jsonrpc":"2.0","id":1,"error":{"code":"1","message":"x"}})",
      R"([{"jsonrpc":"2.0","method":"x"}])"};
  for (const char* frame : kFrames) EXPECT_FALSE(read_frame(frame, false, 1000)) << frame;
  EXPECT_FALSE(read_frame(std::string(1001, ' '), false, 1000));
}

TEST(FrameTest, ABatchIsReadOnlyWhereItMayBe) {
  const std::string batch =
      R"([{"jsonrpc":"2.0","method":"x"},{"jsonrpc":"2.0","id":3,"result":{}}])";
  EXPECT_FALSE(read_frame(batch, false, 1000));
  const auto read = read_frame(batch, true, 1000);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->size(), 2U);
  EXPECT_FALSE(read_frame("[]", true, 1000));
  EXPECT_FALSE(read_frame(R"([{"jsonrpc":"2.0","method":"x"},1])", true, 1000));
}

TEST(FrameTest, AnswersAndRequestsAreToldApart) {
  auto one = [](std::string_view text) { return read_frame(text, false, 1000).value().at(0); };
  const Message request = one(R"({"jsonrpc":"2.0","id":"a","method":"ping"})");
  EXPECT_EQ(request.kind, Message::Kind::kRequest);
  EXPECT_EQ(request.id, "a");
  EXPECT_EQ(one(R"({"jsonrpc":"2.0","method":"n"})").kind, Message::Kind::kNotification);
  const Message error = one(R"({"jsonrpc":"2.0","id":7,"error":{"code":-32601,"message":"no"}})");
  EXPECT_EQ(error.kind, Message::Kind::kError);
  EXPECT_EQ(error.answers, 7);
  EXPECT_EQ(error.error.code, kMethodNotFound);
  EXPECT_EQ(one(R"({"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":""}})").answers, 0);
}

TEST(FrameTest, AMessageIsOneLine) {
  EXPECT_EQ(request_text(3, "m", {{"a", "1\n2"}}),
            R"({"id":3,"method":"m","params":{"a":"1\n2"},"jsonrpc":"2.0"})");
}

}  // namespace
}  // namespace perdure::mcp
