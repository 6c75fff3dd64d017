#include "base/sse.h"

#include <gtest/gtest.h>

#include <vector>

namespace perdure {
namespace {

struct Seen {
  std::string type, data, id;
  bool operator==(const Seen&) const = default;
};

std::vector<Seen> read(const std::vector<std::string>& pieces) {
  std::vector<Seen> seen;
  SseParser parser([&](const SseEvent& e) { seen.push_back({e.type, e.data, e.last_id}); });
  for (const std::string& piece : pieces) EXPECT_TRUE(parser.feed(piece));
  return seen;
}

struct Case {
  std::string name;
  std::string stream;
  std::vector<Seen> events;
};

std::vector<Case> cases() {
  using namespace std::string_literals;
  return {
      {"lf", "data: a\n\ndata: b\n\n", {{"message", "a", ""}, {"message", "b", ""}}},
      {"crlf", "data: a\r\n\r\ndata: b\r\n\r\n", {{"message", "a", ""}, {"message", "b", ""}}},
      {"cr", "data: a\r\rdata: b\r\r", {{"message", "a", ""}, {"message", "b", ""}}},
      {"mixed", "data: a\r\n\rdata: b\n\r\n", {{"message", "a", ""}, {"message", "b", ""}}},
      {"byte order mark",
       "\xEF\xBB\xBF"
       "data: a\n\n",
       {{"message", "a", ""}}},
      {"byte order mark later is text",
       "data: a\n\n\xEF\xBB\xBF"
       "data: b\n\n",
       {{"message", "a", ""}}},
      {"comments", ": ping\n:\ndata: a\n: more\n\n", {{"message", "a", ""}}},
      {"several lines", "data: a\ndata\ndata: b\n\n", {{"message", "a\n\nb", ""}}},
      {"empty data is an event", "data\n\n", {{"message", "", ""}}},
      {"no data is none", "event: x\n\nid: 3\n\ndata: a\n\n", {{"message", "a", "3"}}},
      {"type", "event: error\ndata: a\n\ndata: b\n\n", {{"error", "a", ""}, {"message", "b", ""}}},
      {"id stays",
       "id: 1\ndata: a\n\ndata: b\n\nid\ndata: c\n\n",
       {{"message", "a", "1"}, {"message", "b", "1"}, {"message", "c", ""}}},
      {"id with NUL is ignored", "id: 1\0002\ndata: a\n\n"s, {{"message", "a", ""}}},
      {"one space is taken",
       "data:  a\n\ndata:b\n\n",
       {{"message", " a", ""}, {"message", "b", ""}}},
      {"unknown fields", "foo: bar\nDATA: x\ndata: a\n\n", {{"message", "a", ""}}},
      {"cut before the blank line", "data: a\n\ndata: b\n", {{"message", "a", ""}}},
      {"colons in data", "data: a:b: c\n\n", {{"message", "a:b: c", ""}}},
  };
}

TEST(Sse, ReadsStreamsAtEverySplit) {
  for (const Case& c : cases()) {
    SCOPED_TRACE(c.name);
    EXPECT_EQ(read({c.stream}), c.events);
    for (size_t at = 0; at <= c.stream.size(); ++at) {
      EXPECT_EQ(read({c.stream.substr(0, at), c.stream.substr(at)}), c.events) << "split " << at;
    }
    std::vector<std::string> bytes;
    for (const char byte : c.stream) bytes.emplace_back(1, byte);
    EXPECT_EQ(read(bytes), c.events);
  }
}

TEST(Sse, ReadsRetry) {
  SseParser parser([](const SseEvent&) {});
  ASSERT_TRUE(parser.feed("retry: 2500\nretry: -1\nretry: soon\n"));
  EXPECT_EQ(parser.retry_ms(), 2500);
}

TEST(Sse, LinesAreBounded) {
  int events = 0;
  SseParser parser([&](const SseEvent&) { ++events; }, {.line_bytes = 16, .event_bytes = 100});
  ASSERT_TRUE(parser.feed("data: 0123456789\n\n"));
  EXPECT_EQ(events, 1);
  ASSERT_TRUE(parser.feed("data: 0123456789"));
  const Status failed = parser.feed("x");
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, Code::kTooLarge);
  EXPECT_FALSE(parser.feed("\n\ndata: a\n\n"));
  EXPECT_EQ(events, 1);
}

TEST(Sse, EventsAreBounded) {
  SseParser parser([](const SseEvent&) {}, {.line_bytes = 100, .event_bytes = 10});
  ASSERT_TRUE(parser.feed("data: 1234\n"));
  ASSERT_TRUE(parser.feed("data: 1234\n"));
  EXPECT_FALSE(parser.feed("data: 1234\n"));
}

}  // namespace
}  // namespace perdure
