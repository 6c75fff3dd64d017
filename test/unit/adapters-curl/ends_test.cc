// How a call ends: timeouts, limits, cancelling, and what was or was not sent by then.
#include <gtest/gtest.h>

#include "adapters/curl/call.h"
#include "ask.h"
#include "receiver.h"

namespace perdure::test {
namespace {

using End = HttpResult::End;
using testing::Test;

class Ends : public Test {
 protected:
  SetClock clock_;
  CurlClient client_{clock_};
};

bool has(const std::string& text, std::string_view part) {
  return text.find(part) != std::string::npos;
}

TEST_F(Ends, TheRequestIsWhatWasAsked) {
  std::string got;
  Receiver receiver([&](Peer& peer, Receiver& self) {
    got = self.take(peer);
    peer.write(answer("201 Created", "{\"ok\":true}", "X-Many: 1\r\nx-many:  2 \r\nEmpty:\r\n"));
  });
  HttpRequest request = post(receiver.url("/a/../b?c=%20d"), "{\"n\":42}");
  request.headers.emplace_back("Idempotency-Key", "k1");
  request.headers.emplace_back("X-Empty", "");
  const HttpResult result = ask(client_, request);
  EXPECT_EQ(result.end, End::kComplete);
  EXPECT_EQ(result.status, 201);
  EXPECT_EQ(result.body, "{\"ok\":true}");
  EXPECT_EQ(result.detail, "");
  const std::vector<std::pair<std::string, std::string>> headers = {
      {"content-length", "11"}, {"x-many", "1"}, {"x-many", "2"}, {"empty", ""}};
  EXPECT_EQ(result.headers, headers);
  EXPECT_TRUE(got.starts_with("POST /a/../b?c=%20d HTTP/1.1\r\n")) << got;
  EXPECT_TRUE(got.ends_with("\r\n\r\n{\"n\":42}")) << got;
  for (const char* line : {"\r\nIdempotency-Key: k1\r\n", "\r\nContent-Length: 8\r\n",
                           "\r\nContent-Type: application/json\r\n", "\r\nConnection: close\r\n",
                           "\r\nX-Empty:\r\n", "\r\nUser-Agent: perdure\r\n"}) {
    EXPECT_TRUE(has(got, line)) << line << " in " << got;
  }
  EXPECT_FALSE(has(got, "Expect")) << got;
}

TEST_F(Ends, LargeBodiesGoWithoutAnExpectation) {
  size_t size = 0;
  bool expects = true;
  Receiver receiver([&](Peer& peer, Receiver& self) {
    const std::string request = self.take(peer);
    size = request.size() - request.find("\r\n\r\n") - 4;
    expects = has(request.substr(0, 4096), "Expect");
    peer.write(answer("200 OK", ""));
  });
  EXPECT_EQ(ask(client_, post(receiver.url(), std::string(3u << 20, 'x'))).status, 200);
  EXPECT_EQ(size, 3u << 20);
  EXPECT_FALSE(expects);
}

TEST_F(Ends, HeadHasNoBody) {
  Receiver receiver([&](Peer& peer, Receiver& self) {
    EXPECT_TRUE(self.take(peer).starts_with("HEAD / "));
    peer.write("HTTP/1.1 200 OK\r\nContent-Length: 99\r\n\r\n");
  });
  HttpRequest request = post(receiver.url(), "");
  request.method = "HEAD";
  const HttpResult result = ask(client_, request);
  EXPECT_EQ(result.end, End::kComplete);
  EXPECT_EQ(result.body, "");
}

TEST_F(Ends, AnswersComeByteByByte) {
  Receiver receiver([](Peer& peer, Receiver& self) {
    self.take(peer);
    const int one = 1;
    setsockopt(peer.fd(), IPPROTO_TCP, 1 /* TCP_NODELAY */, &one, sizeof one);
    const std::string text =
        "HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 102 Processing\r\nX: 1\r\n\r\n" +
        answer("200 OK", "slowly", "Y: 2\r\n");
    for (const char c : text) peer.write({&c, 1});
  });
  const HttpResult result = ask(client_, post(receiver.url()));
  EXPECT_EQ(result.end, End::kComplete) << result.detail;
  EXPECT_EQ(result.body, "slowly");
  EXPECT_EQ(result.headers.size(), 2u);  // those of the interim answers are gone
}

TEST_F(Ends, RefusedConnectionIsNotSent) {
  uint16_t port = 0;
  {
    port = Receiver([](Peer&, Receiver&) {}).port();
  }
  const HttpResult result = ask(client_, post("http://127.0.0.1:" + std::to_string(port) + "/"));
  EXPECT_EQ(result.end, End::kNotSent);
  EXPECT_TRUE(has(result.detail, "127.0.0.1")) << result.detail;
}

TEST_F(Ends, UnknownHostIsNotSent) {
  const HttpResult result = ask(client_, post("http://no-such-host.invalid/"));
  EXPECT_EQ(result.end, End::kNotSent);
  EXPECT_TRUE(has(result.detail, "no-such-host.invalid")) << result.detail;
}

// The peer accepts and never speaks TLS: the connection is not made, nothing was written.
TEST_F(Ends, ConnectTimeoutIsNotSent) {
  std::promise<size_t> after_hello;
  Receiver receiver([&](Peer& peer, Receiver&) {
    char hello[8192];
    recv(peer.fd(), hello, sizeof hello, 0);
    after_hello.set_value(peer.wait_for_close());
  });
  HttpRequest request = post("https" + receiver.url().substr(4));
  request.timeouts.connect_ms = 60;
  const HttpResult result = ask(client_, request);
  EXPECT_EQ(result.end, End::kNotSent);
  EXPECT_TRUE(has(result.detail, "connect timeout")) << result.detail;
  EXPECT_EQ(after_hello.get_future().get(), 0u);
}

TEST_F(Ends, TotalTimeoutBeforeTheRequestIsNotSent) {
  Receiver receiver([](Peer& peer, Receiver&) { peer.wait_for_close(); });
  HttpRequest request = post("https" + receiver.url().substr(4));
  request.timeouts.total_ms = 60;
  const HttpResult result = ask(client_, request);
  EXPECT_EQ(result.end, End::kNotSent);
  EXPECT_TRUE(has(result.detail, "total timeout")) << result.detail;
}

TEST(CurlCall, WaitsForDaysWhereItIsToldTo) {
  constexpr int64_t kDayUs = 24LL * 3600 * 1'000'000;
  HttpRequest request;
  request.timeouts = {.connect_ms = 10'000,
                      .first_byte_ms = 30 * kDayUs / 1000,
                      .gap_ms = 30 * kDayUs / 1000,
                      .total_ms = 30 * kDayUs / 1000};
  const CurlCall call(std::move(request), {}, 0);
  EXPECT_EQ(call.reason_to_stop(29 * kDayUs), CurlCall::Stop::kNone);
  EXPECT_EQ(call.reason_to_stop(30 * kDayUs), CurlCall::Stop::kTotal);
}

TEST_F(Ends, FirstByteTimeout) {
  Receiver receiver([](Peer& peer, Receiver& self) {
    self.take(peer);
    peer.wait_for_close();
  });
  HttpRequest request = post(receiver.url());
  request.timeouts.first_byte_ms = 60;
  const HttpResult result = ask(client_, request);
  EXPECT_EQ(result.end, End::kTimedOut);
  EXPECT_TRUE(has(result.detail, "first byte timeout")) << result.detail;
  EXPECT_EQ(result.status, 0);
  EXPECT_EQ(receiver.connections(), 1);
}

TEST_F(Ends, GapTimeoutInTheHeadAndInTheBody) {
  for (const char* text :
       {"HTTP/1.1 200 OK\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nab"}) {
    Receiver receiver([&](Peer& peer, Receiver& self) {
      self.take(peer);
      peer.write(text);
      peer.wait_for_close();
    });
    HttpRequest request = post(receiver.url());
    request.timeouts.gap_ms = 60;
    const HttpResult result = ask(client_, request);
    EXPECT_EQ(result.end, End::kTimedOut);
    EXPECT_TRUE(has(result.detail, "gap timeout")) << result.detail;
    EXPECT_EQ(receiver.requests, 1);
  }
}

// Bytes without end, none of them late: the total bounds it. Interim answers too.
TEST_F(Ends, TotalTimeoutAndHeadLimitBoundAReceiverThatNeverEnds) {
  Receiver chunks([&](Peer& peer, Receiver& self) {
    self.take(peer);
    peer.write("HTTP/1.1 200 OK\r\n\r\n");
    while (peer.write("x") && recv(peer.fd(), nullptr, 0, MSG_DONTWAIT) != 0) {
      std::this_thread::yield();
    }
  });
  HttpRequest request = post(chunks.url());
  request.timeouts.total_ms = 150;
  HttpResult result = ask(client_, request);
  EXPECT_EQ(result.end, End::kTimedOut) << result.detail;
  EXPECT_TRUE(has(result.detail, "total timeout")) << result.detail;

  Receiver interim([&](Peer& peer, Receiver& self) {
    self.take(peer);
    while (peer.write("HTTP/1.1 100 Continue\r\nA: bcdefghijklmnopqrstuvwxyz\r\n\r\n")) {
    }
  });
  result = ask(client_, post(interim.url()));
  EXPECT_EQ(result.end, End::kTooLarge) << result.detail;
  EXPECT_EQ(result.status, 0);
}

TEST_F(Ends, AFloodIsCutAtTheLimit) {
  Receiver receiver([](Peer& peer, Receiver& self) {
    self.take(peer);
    peer.write("HTTP/1.1 200 OK\r\n\r\n");
    const std::string block(65536, 'x');
    while (peer.write(block)) {
    }
  });
  HttpRequest request = post(receiver.url());
  request.max_response_bytes = 100'000;
  const HttpResult result = ask(client_, request);
  EXPECT_EQ(result.end, End::kTooLarge);
  EXPECT_EQ(result.status, 200);
  EXPECT_EQ(result.body, std::string(100'000, 'x'));
}

TEST_F(Ends, ExactlyTheLimitIsComplete) {
  Receiver receiver([](Peer& peer, Receiver& self) {
    self.take(peer);
    peer.write(answer("200 OK", "12345"));
  });
  HttpRequest request = post(receiver.url());
  request.max_response_bytes = 5;
  EXPECT_EQ(ask(client_, request).end, End::kComplete);
  request.max_response_bytes = 4;
  EXPECT_EQ(ask(client_, request).body, "1234");
}

TEST_F(Ends, TooLateIsNotSent) {
  {
    std::promise<size_t> bytes;
    Receiver receiver([&](Peer& peer, Receiver&) { bytes.set_value(peer.wait_for_close()); });
    HttpRequest request = post(receiver.url());
    request.not_after_ms = clock_.wall_ms;  // at it is too late already
    const HttpResult result = ask(client_, request);
    EXPECT_EQ(result.end, End::kNotSent);
    EXPECT_TRUE(has(result.detail, "too late")) << result.detail;
    EXPECT_EQ(bytes.get_future().get(), 0u);
  }
  Receiver receiver([&](Peer& peer, Receiver& self) {
    self.take(peer);
    peer.write(answer("200 OK", ""));
  });
  HttpRequest request = post(receiver.url());
  request.not_after_ms = clock_.wall_ms + 1;
  EXPECT_EQ(ask(client_, request).status, 200);
}

TEST_F(Ends, CancelBeforeAndAfterTheRequest) {
  std::promise<void> arrived;
  Receiver receiver([&](Peer& peer, Receiver& self) {
    self.take(peer);
    arrived.set_value();
    peer.wait_for_close();
  });
  HttpClient::CallId id = 0;
  auto sent = begin(client_, post(receiver.url()), &id);
  arrived.get_future().wait();
  client_.cancel(id);
  const HttpResult after = sent.get();
  EXPECT_EQ(after.end, End::kCancelled);
  client_.cancel(id);   // has ended
  client_.cancel(999);  // never was

  std::promise<void> accepted;
  Receiver silent([&](Peer& peer, Receiver&) {
    accepted.set_value();
    peer.wait_for_close();
  });
  auto early = begin(client_, post("https" + silent.url().substr(4)), &id);
  accepted.get_future().wait();
  client_.cancel(id);
  const HttpResult before = early.get();
  EXPECT_EQ(before.end, End::kNotSent);
  EXPECT_TRUE(has(before.detail, "cancelled")) << before.detail;
}

TEST_F(Ends, ClosingTheClientEndsEveryCall) {
  std::promise<void> arrived;
  Receiver receiver([&](Peer& peer, Receiver& self) {
    self.take(peer);
    arrived.set_value();
    peer.wait_for_close();
  });
  auto client = std::make_unique<CurlClient>(clock_);
  auto call = begin(*client, post(receiver.url()));
  arrived.get_future().wait();
  client.reset();
  EXPECT_EQ(call.get().end, End::kCancelled);
}

TEST_F(Ends, BodiesStreamInOrder) {
  Receiver receiver([](Peer& peer, Receiver& self) {
    self.take(peer);
    peer.write("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n");
    for (int i = 0; i < 100; ++i) peer.write("3\r\nabc\r\n");
    peer.write("0\r\nTrailer: x\r\n\r\n");
  });
  std::string streamed;
  std::promise<HttpResult> done;
  HttpCallbacks callbacks;
  callbacks.on_body = [&](int status, std::string_view bytes) {
    EXPECT_EQ(status, 200);
    streamed += bytes;
  };
  callbacks.on_done = [&](HttpResult result) { done.set_value(std::move(result)); };
  client_.send(post(receiver.url()), std::move(callbacks));
  const HttpResult result = done.get_future().get();
  EXPECT_EQ(result.end, End::kComplete);
  EXPECT_EQ(result.body, "");
  EXPECT_EQ(result.headers.size(), 1u);  // not the trailer
  std::string expected;
  for (int i = 0; i < 100; ++i) expected += "abc";
  EXPECT_EQ(streamed, expected);
}

TEST_F(Ends, CallsMayBeMadeFromCallbacks) {
  Receiver receiver([](Peer& peer, Receiver& self) {
    self.take(peer);
    peer.write(answer("200 OK", ""));
  });
  std::promise<int> done;
  HttpCallbacks outer;
  outer.on_done = [&](HttpResult) {
    HttpCallbacks inner;
    inner.on_done = [&](HttpResult result) { done.set_value(result.status); };
    client_.send(post(receiver.url()), std::move(inner));
  };
  client_.send(post(receiver.url()), std::move(outer));
  EXPECT_EQ(done.get_future().get(), 200);
}

TEST_F(Ends, MoreCallsThanPlacesWaitAndAreSentOnce) {
  std::atomic<int> open = 0;
  std::atomic<int> most = 0;
  Receiver receiver([&](Peer& peer, Receiver& self) {
    const int now = ++open;
    for (int seen = most; now > seen && !most.compare_exchange_weak(seen, now);) {
    }
    self.take(peer);
    --open;
    peer.write(answer("200 OK", ""));
  });
  CurlClient client(clock_, {.max_open = 3, .ca_file = "", .user_agent = "x"});
  std::vector<std::future<HttpResult>> calls;
  for (int i = 0; i < 200; ++i) calls.push_back(begin(client, post(receiver.url())));
  for (auto& call : calls) EXPECT_EQ(call.get().status, 200);
  EXPECT_EQ(receiver.requests, 200);
  EXPECT_LE(most, 3);
}

TEST_F(Ends, AWaitingCallTimesOutUnsent) {
  std::promise<void> arrived;
  Receiver receiver([&](Peer& peer, Receiver& self) {
    if (!self.take(peer).empty()) arrived.set_value();
    peer.wait_for_close();
  });
  CurlClient client(clock_, {.max_open = 1, .ca_file = "", .user_agent = "x"});
  auto first = begin(client, post(receiver.url()));
  arrived.get_future().wait();
  HttpRequest request = post(receiver.url());
  request.timeouts.total_ms = 30;
  EXPECT_EQ(ask(client, request).end, End::kNotSent);
  EXPECT_EQ(receiver.connections(), 1);
}

}  // namespace
}  // namespace perdure::test
