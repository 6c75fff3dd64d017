#include "model/aws_event_stream.h"

#include <gtest/gtest.h>

#include "aws_event_messages.h"
#include "base/text.h"

namespace perdure {
namespace {

using test::aws_event;
using test::aws_message_raw;

struct Read {
  std::vector<AwsEvent> events;
  Status status;
};

Read read(std::string_view bytes, size_t step, size_t max = 8u << 20) {
  Read out;
  AwsEventStream stream([&](const AwsEvent& event) { out.events.push_back(event); }, max);
  for (size_t at = 0; at < bytes.size(); at += step) {
    out.status = stream.feed(bytes.substr(at, step));
  }
  return out;
}

// Published: aws/aws-sdk-js-v3, packages/eventstream-marshaller/src/TestVectors.fixture.ts.
struct Published {
  std::string_view name, hex;
  bool good;
  std::string_view payload = "{'foo':'bar'}";
};

constexpr Published kPublished[] = {
    {"empty_message", "000000100000000005c248eb7d98c8ff", true, ""},
    {"int32_header",
     "0000002b0000000e348bec7b086576656e742d6964040000a00c7b27666f6f273a27626172277dd3890285",
     true},
    {"payload_no_headers", "0000001d00000000fd528c5a7b27666f6f273a27626172277dc3653936", true},
    {"payload_one_str_header",
     "0000003d0000002007fd83960c636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e7b276"
     "66f6f273a27626172277d8d9c08b1",
     true},
    {"corrupted_headers",
     "0000003d0000002007fd83960c636f6e74656e742b747970650700106170706c69636174696f6e2f6a736f6e7b276"
     "66f6f273a27626172277d8d9c08b1",
     false},
    {"corrupted_header_len",
     "0000003d0000012007fd83960c636f6e74656e742d747970650700106170706c69636174696f6e2f6a736f6e7b276"
     "66f6f273a27626172277d8d9c08b1",
     false},
    {"corrupted_length", "0100001d00000000fd528c5a7b27666f6f273a27626172277dc3653936", false},
    {"corrupted_payload", "0000001d00000000fd528c5a7b27666f6f273a27626172278dc3653936", false},
};

TEST(AwsEventStream, AgreesWithThePublishedMessages) {
  for (const Published& row : kPublished) {
    const std::string bytes = *from_hex(row.hex);
    for (const size_t step : {size_t{1}, size_t{7}, bytes.size()}) {
      const Read got = read(bytes, step);
      EXPECT_EQ(got.status.has_value(), row.good) << row.name;
      ASSERT_EQ(got.events.size(), row.good ? 1u : 0u) << row.name;
      if (row.good) EXPECT_EQ(got.events[0].payload, row.payload) << row.name;
    }
  }
}

TEST(AwsEventStream, NamesWhatCame) {
  const std::string bytes = aws_event("messageStart", "{}") +
                            test::aws_exception("throttlingException", "{\"m\":1}") +
                            test::aws_message({{":message-type", "error"},
                                               {":error-code", "InternalError"},
                                               {":error-message", "broken"}},
                                              "");
  for (size_t step = 1; step <= bytes.size(); ++step) {
    const Read got = read(bytes, step);
    ASSERT_TRUE(got.status) << got.status.error().message;
    ASSERT_EQ(got.events.size(), 3u);
    EXPECT_EQ(got.events[0].message_type, "event");
    EXPECT_EQ(got.events[0].name, "messageStart");
    EXPECT_EQ(got.events[1].message_type, "exception");
    EXPECT_EQ(got.events[1].name, "throttlingException");
    EXPECT_EQ(got.events[1].payload, "{\"m\":1}");
    EXPECT_EQ(got.events[2].message_type, "error");
    EXPECT_EQ(got.events[2].name, "InternalError");
    EXPECT_EQ(got.events[2].error_message, "broken");
  }
}

TEST(AwsEventStream, SkipsHeadersOfEveryOtherType) {
  std::string headers;
  const size_t sizes[] = {0, 0, 1, 2, 4, 8, 0, 0, 8, 16};
  for (char kind = 0; kind < 10; ++kind) {
    headers += "\x01h";
    headers += kind;
    if (kind == 6 || kind == 7) headers += std::string("\0\3abc", 5);
    headers += std::string(sizes[static_cast<size_t>(kind)], 'x');
  }
  const Read got = read(aws_message_raw(headers, "p"), 5);
  ASSERT_TRUE(got.status) << got.status.error().message;
  EXPECT_EQ(got.events.at(0).payload, "p");
}

TEST(AwsEventStream, RefusesBrokenHeadersUnderARightChecksum) {
  for (const std::string_view headers : {std::string_view("\x05"
                                                          "ab"),
                                         std::string_view("\x01"
                                                          "a"),
                                         std::string_view("\0", 1),
                                         std::string_view("\x01"
                                                          "a\x0a"),
                                         std::string_view("\x01"
                                                          "a\x07\x00\x05"
                                                          "abc",
                                                          8),
                                         std::string_view("\x01"
                                                          "a\x05"
                                                          "1234567")}) {
    const Read got = read(aws_message_raw(headers, "payload"), 3);
    ASSERT_FALSE(got.status) << to_hex(headers);
    EXPECT_EQ(got.status.error().code, Code::kCorrupt);
    EXPECT_TRUE(got.events.empty());
  }
}

TEST(AwsEventStream, FindsEveryFlippedBit) {
  const std::string bytes = aws_event("contentBlockDelta", R"({"delta":{"text":"hello"}})");
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string flipped = bytes;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ 1 << bit % 8);
    const Read got = read(flipped, flipped.size());
    EXPECT_FALSE(got.status) << "bit " << bit;
    EXPECT_TRUE(got.events.empty()) << "bit " << bit;
  }
}

TEST(AwsEventStream, StopsAtTheLimitBeforeItStoresTheMessage) {
  const std::string small = aws_event("e", "x");
  const std::string large = aws_event("e", std::string(1000, 'x'));
  const Read got = read(small + large + small, 10, 500);
  ASSERT_FALSE(got.status);
  EXPECT_EQ(got.status.error().code, Code::kTooLarge);
  EXPECT_EQ(got.events.size(), 1u) << "what follows an error is not read";
}

TEST(AwsEventStream, SaysNothingOfACutMessage) {
  const std::string bytes = aws_event("e", "x");
  for (size_t size = 0; size < bytes.size(); ++size) {
    const Read got = read(std::string_view(bytes).substr(0, size), 4);
    EXPECT_TRUE(got.status);
    EXPECT_TRUE(got.events.empty());
  }
}

}  // namespace
}  // namespace perdure
