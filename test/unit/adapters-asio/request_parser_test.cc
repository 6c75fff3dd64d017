#include "adapters/asio/request_parser.h"

#include <gtest/gtest.h>

#include "request_corpus.h"

namespace perdure::http {
namespace {

// In pieces of so many bytes, until a request is complete or refused.
size_t feed_in_pieces(RequestParser& parser, std::string_view bytes, size_t piece) {
  size_t used = 0;
  while (used < bytes.size() && !parser.complete() && !parser.failed()) {
    used += parser.feed(bytes.substr(used, piece));
  }
  return used;
}

api::Request parse_one(std::string_view bytes, size_t piece = 1 << 20) {
  RequestParser parser{ParserLimits{}};
  EXPECT_EQ(feed_in_pieces(parser, bytes, piece), bytes.size());
  EXPECT_TRUE(parser.complete()) << bytes << parser.problem().detail;
  return parser.complete() ? parser.take() : api::Request{};
}

TEST(RequestParser, RefusesWhatIsAmbiguousHoweverItArrives) {
  for (const BadRequest& bad : bad_requests()) {
    for (const size_t piece : {size_t{1}, size_t{2}, size_t{7}, size_t{1} << 20}) {
      RequestParser parser{ParserLimits{}};
      feed_in_pieces(parser, bad.bytes, piece);
      ASSERT_TRUE(parser.failed()) << bad.bytes.substr(0, 200) << " in pieces of " << piece;
      EXPECT_EQ(parser.problem().status, bad.status)
          << bad.bytes.substr(0, 200) << ": " << parser.problem().detail;
      EXPECT_FALSE(parser.problem().detail.empty());
      EXPECT_EQ(parser.feed("GET / HTTP/1.1\r\n"), 0u);
    }
  }
}

TEST(RequestParser, ReadsARequestInPiecesOfAnySize) {
  const std::string bytes =
      "POST /v1/tasks?x=%20 HTTP/1.1\r\nHOST: example:80\r\nX-Empty:\r\nX-Trim: \t a b\t \r\n"
      "Content-Length: 5\r\n\r\nhello";
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    const api::Request request = parse_one(bytes, piece);
    EXPECT_EQ(request.method, "POST");
    EXPECT_EQ(request.target, "/v1/tasks?x=%20");
    EXPECT_EQ(request.body, "hello");
    const api::Headers headers = {
        {"host", "example:80"}, {"x-empty", ""}, {"x-trim", "a b"}, {"content-length", "5"}};
    EXPECT_EQ(request.headers, headers);
  }
}

TEST(RequestParser, JoinsChunksAndDropsTrailers) {
  const std::string bytes =
      "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: Chunked\r\n\r\n"
      "5\r\nhello\r\n1;name=\"value\"\r\n \r\n00A\r\n0123456789\r\n0\r\nX-Sum: 1\r\n\r\n";
  for (size_t piece = 1; piece <= bytes.size(); ++piece) {
    const api::Request request = parse_one(bytes, piece);
    EXPECT_EQ(request.body, "hello 0123456789");
    EXPECT_EQ(request.headers.size(), 2u);
  }
}

TEST(RequestParser, TakesOneRequestAfterTheOther) {
  const std::string first = "POST /1 HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\nab";
  const std::string second = "\r\nHEAD /2 HTTP/1.0\r\nExpect: 100-continue\r\n\r\n";
  RequestParser parser{ParserLimits{}};
  EXPECT_TRUE(parser.idle());
  EXPECT_EQ(parser.feed(first + second), first.size());
  EXPECT_TRUE(parser.keep_alive());
  EXPECT_EQ(parser.take().target, "/1");
  EXPECT_TRUE(parser.idle());
  EXPECT_EQ(parser.feed(second), second.size());
  EXPECT_TRUE(parser.is_head());
  EXPECT_TRUE(parser.is_http_1_0());
  EXPECT_FALSE(parser.keep_alive());
  const api::Request request = parser.take();
  EXPECT_EQ(request.target, "/2");
  EXPECT_EQ(request.body, "");
  EXPECT_EQ(request.headers.size(), 1u);
}

TEST(RequestParser, DecidesWhetherTheConnectionStays) {
  const struct {
    const char* version;
    const char* connection;
    bool stays;
  } cases[] = {
      {"1.1", "", true},
      {"1.1", "Connection: close\r\n", false},
      {"1.1", "Connection: x, Close\r\n", false},
      {"1.1", "Connection: closed\r\n", true},
      {"1.1", "Connection: keep-alive\r\nConnection: close\r\n", false},
      {"1.0", "", false},
      {"1.0", "Connection: Keep-Alive\r\n", true},
      {"1.0", "Connection: keep-alive, close\r\n", false},
  };
  for (const auto& [version, connection, stays] : cases) {
    RequestParser parser{ParserLimits{}};
    parser.feed("GET / HTTP/" + std::string(version) + "\r\nHost: x\r\n" + connection + "\r\n");
    ASSERT_TRUE(parser.complete());
    EXPECT_EQ(parser.keep_alive(), stays) << version << connection;
  }
}

TEST(RequestParser, TurnsAnAbsoluteTargetIntoAPathAndItsHost) {
  const struct {
    const char* target;
    const char* path;
    const char* host;
  } cases[] = {
      {"http://a.example:8080/x?y", "/x?y", "a.example:8080"},
      {"HTTP://a", "/", "a"},
      {"http://[::1]?q", "/?q", "[::1]"},
  };
  for (const auto& [target, path, host] : cases) {
    const api::Request request =
        parse_one("GET " + std::string(target) + " HTTP/1.1\r\nHost: other\r\n\r\n");
    EXPECT_EQ(request.target, path);
    EXPECT_EQ(request.headers, (api::Headers{{"host", host}}));
  }
  EXPECT_EQ(parse_one("OPTIONS * HTTP/1.1\r\nHost:\r\n\r\n").target, "*");
}

TEST(RequestParser, TakesExactlyTheLimits) {
  ParserLimits limits;
  limits.body_bytes = 10;
  limits.target_bytes = 4;
  limits.header_count = 2;
  const std::string head = "POST /abc HTTP/1.1\r\nHost: x\r\n";
  const struct {
    std::string bytes;
    int refused;
  } cases[] = {
      {head + "Content-Length: 10\r\n\r\n0123456789", 0},
      {head + "Content-Length: 11\r\n\r\n", 413},
      {head + "Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n5\r\n01234\r\n0\r\n\r\n", 0},
      {head + "Transfer-Encoding: chunked\r\n\r\n5\r\n01234\r\n6\r\n", 413},
      {"GET /abcd HTTP/1.1\r\nHost: x\r\n\r\n", 414},
      {head + "A: b\r\nC: d\r\n\r\n", 431},
  };
  for (const auto& [bytes, refused] : cases) {
    RequestParser parser{limits};
    parser.feed(bytes);
    EXPECT_EQ(parser.complete(), refused == 0) << bytes;
    EXPECT_EQ(parser.failed() ? parser.problem().status : 0, refused) << bytes;
  }
}

TEST(RequestParser, AwaitsContinueOnlyWhileNoBodyHasCome) {
  RequestParser parser{ParserLimits{}};
  parser.feed("POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-Continue\r\nContent-Length: 2\r\n\r\n");
  EXPECT_TRUE(parser.awaits_continue());
  parser.feed("a");
  EXPECT_FALSE(parser.awaits_continue());
}

}  // namespace
}  // namespace perdure::http
