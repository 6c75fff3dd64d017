// A receiver that reads the request and does not answer well must count exactly one connection and
// one request, however it fails.
#include <gtest/gtest.h>

#include "ask.h"
#include "receiver.h"

namespace perdure::test {
namespace {

using End = HttpResult::End;

struct Failure {
  const char* name;
  const char* says;  // after the request was read; then it closes
  End end;
  int status;
};

constexpr Failure kFailures[] = {
    {"says nothing", "", End::kCut, 0},
    {"only continues", "HTTP/1.1 100 Continue\r\n\r\n", End::kCut, 0},
    {"half a status line", "HTTP/1.1 20", End::kCut, 0},
    {"half a head", "HTTP/1.1 200 OK\r\nContent-Type: text/pl", End::kCut, 0},
    {"a head without its end", "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n", End::kCut, 0},
    {"half a body", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", End::kCut, 200},
    {"half a chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nhalf", End::kCut,
     200},
    {"no last chunk", "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
     End::kCut, 200},
    {"garbage", "220 mail.example ESMTP\r\n", End::kCut, 0},
    {"binary garbage", "\x16\x03\x01\xff\xfe", End::kCut, 0},
    {"switches protocols", "HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\nhello", End::kCut,
     0},
    {"redirects to itself", "HTTP/1.1 307 Temporary\r\nLocation: /\r\nContent-Length: 0\r\n\r\n",
     End::kComplete, 307},
    {"asks for a password",
     "HTTP/1.1 401 No\r\nWWW-Authenticate: Basic realm=x\r\nContent-Length: 0\r\n\r\n",
     End::kComplete, 401},
    {"wants an expectation", "HTTP/1.1 417 Failed\r\nContent-Length: 0\r\n\r\n", End::kComplete,
     417},
    {"misdirected", "HTTP/1.1 421 Misdirected\r\nContent-Length: 0\r\n\r\n", End::kComplete, 421},
    {"is busy", "HTTP/1.1 503 Busy\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n", End::kComplete,
     503},
    {"timed out", "HTTP/1.1 408 Late\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
     End::kComplete, 408},
    {"answers twice",
     "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 500 No\r\nContent-Length: 0\r\n\r\n",
     End::kComplete, 200},
};

class Once : public testing::TestWithParam<Failure> {};

TEST_P(Once, CountsOneConnectionAndOneRequest) {
  const Failure& failure = GetParam();
  Receiver receiver([&](Peer& peer, Receiver& self) {
    self.take(peer);
    peer.write(failure.says);
  });
  SetClock clock;
  {
    CurlClient client(clock);
    // A first call, so that there would be a connection to reuse.
    for (const char* method : {"POST", "PUT", "GET", "DELETE"}) {
      HttpRequest request = post(receiver.url());
      request.method = method;
      if (request.method == "GET") request.body.clear();
      const HttpResult result = ask(client, request);
      EXPECT_EQ(result.end, failure.end) << method << ": " << result.detail;
      EXPECT_EQ(result.status, failure.status) << method;
      EXPECT_EQ(result.detail.empty(), failure.end == End::kComplete) << result.detail;
    }
  }
  EXPECT_EQ(receiver.connections(), 4);
  EXPECT_EQ(receiver.requests, 4);
}

INSTANTIATE_TEST_SUITE_P(, Once, testing::ValuesIn(kFailures), [](const auto& info) {
  std::string name = info.param.name;
  for (char& c : name) c = c == ' ' ? '_' : c;
  return name;
});

TEST(OnceReset, AResetAfterTheRequestIsNotSentAgain) {
  Receiver receiver([&](Peer& peer, Receiver& self) {
    self.take(peer);
    const linger now{.l_onoff = 1, .l_linger = 0};
    setsockopt(peer.fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
  });
  SetClock clock;
  CurlClient client(clock);
  EXPECT_EQ(ask(client, post(receiver.url())).end, End::kCut);
  EXPECT_EQ(receiver.connections(), 1);
  EXPECT_EQ(receiver.requests, 1);
}

// The receiver closes while a large body is still on its way: part of it may have been acted on.
TEST(OnceReset, ACloseDuringTheUploadIsDoubt) {
  Receiver receiver([&](Peer& peer, Receiver&) {
    char one = 0;
    recv(peer.fd(), &one, 1, 0);
  });
  SetClock clock;
  CurlClient client(clock);
  const auto result = ask(client, post(receiver.url(), std::string(32u << 20, 'x')));
  EXPECT_EQ(result.end, End::kCut) << result.detail;
  EXPECT_EQ(receiver.connections(), 1);
}

TEST(OnceKeepAlive, AConnectionIsNeverUsedTwice) {
  Receiver receiver([&](Peer& peer, Receiver& self) {
    while (!self.take(peer).empty()) peer.write(answer("200 OK", "x"));
  });
  SetClock clock;
  CurlClient client(clock);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(ask(client, post(receiver.url())).body, "x");
  EXPECT_EQ(receiver.connections(), 5);
  EXPECT_EQ(receiver.requests, 5);
}

TEST(OnceRedirect, NothingGoesWhereTheAnswerPoints) {
  Receiver other([](Peer& peer, Receiver& self) { self.take(peer); });
  for (const char* status : {"301 Moved", "302 Found", "303 See Other", "307 T", "308 P"}) {
    Receiver receiver([&](Peer& peer, Receiver& self) {
      self.take(peer);
      peer.write(answer(status, "", "Location: " + other.url() + "\r\n"));
    });
    SetClock clock;
    CurlClient client(clock);
    EXPECT_EQ(ask(client, post(receiver.url())).status, std::stoi(status));
    EXPECT_EQ(receiver.requests, 1);
  }
  EXPECT_EQ(other.connections(), 0);
}

TEST(OnceProxy, TheEnvironmentNamesNoProxy) {
  Receiver proxy([](Peer& peer, Receiver& self) { self.take(peer); });
  Receiver receiver([](Peer& peer, Receiver& self) {
    self.take(peer);
    peer.write(answer("200 OK", ""));
  });
  for (const char* name : {"http_proxy", "https_proxy", "all_proxy", "ALL_PROXY"}) {
    setenv(name, proxy.url().c_str(), 1);
  }
  {
    SetClock clock;
    CurlClient client(clock);
    EXPECT_EQ(ask(client, post(receiver.url())).status, 200);
  }
  for (const char* name : {"http_proxy", "https_proxy", "all_proxy", "ALL_PROXY"}) unsetenv(name);
  EXPECT_EQ(proxy.connections(), 0);
  EXPECT_EQ(receiver.requests, 1);
}

}  // namespace
}  // namespace perdure::test
