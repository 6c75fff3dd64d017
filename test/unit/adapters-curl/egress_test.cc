// Real listeners that count: no spelling of a host reaches them unless it was allowed.
#include <gtest/gtest.h>

#include <memory>
#include <stdexcept>

#include "ask.h"
#include "receiver.h"

namespace perdure::test {
namespace {

using End = HttpResult::End;

void serve(Peer& peer, Receiver& self) {
  self.take(peer);
  peer.write(answer("200 OK", "secret"));
}

// Every address of this machine, of both families where there are two.
std::unique_ptr<Receiver> everywhere() {
  try {
    return std::make_unique<Receiver>(serve, "::");
  } catch (const std::runtime_error&) {
    return std::make_unique<Receiver>(serve, "0.0.0.0");
  }
}

TEST(EgressSockets, NoSpellingOfLoopbackIsReached) {
  const auto receiver = everywhere();
  SetClock clock;
  CurlClient client(clock);
  for (const char* host : {"127.0.0.1",
                           "127.0.0.2",
                           "127.1",
                           "2130706433",
                           "0x7f000001",
                           "0x7f.0.0.1",
                           "0177.0.0.1",
                           "017700000001",
                           "127.0.0.1.",
                           "localhost",
                           "LOCALHOST",
                           "localhost.",
                           "0.0.0.0",
                           "0",
                           "[::1]",
                           "[::ffff:127.0.0.1]",
                           "[::ffff:7f00:1]",
                           "[0:0:0:0:0:ffff:127.0.0.1]",
                           "[::]",
                           "[::127.0.0.1]"}) {
    HttpRequest request = post(receiver->url("/", host));
    request.allow_private = false;
    const HttpResult result = ask(client, request);
    EXPECT_EQ(result.end, End::kNotSent) << host << result.body;
    EXPECT_FALSE(result.detail.empty()) << host;
  }
  EXPECT_EQ(receiver->connections(), 0);
}

TEST(EgressSockets, TheSameListenersAreReachedWhenAllowed) {
  Receiver v4(serve, "0.0.0.0");
  SetClock clock;
  CurlClient client(clock);
  for (const char* host :
       {"127.0.0.1", "127.0.0.2", "127.1", "2130706433", "localhost", "[::ffff:127.0.0.1]"}) {
    const HttpResult result = ask(client, post(v4.url("/", host)));
    EXPECT_EQ(result.end, End::kComplete) << host << ": " << result.detail;
  }
  EXPECT_EQ(v4.requests, 6);
}

TEST(EgressSockets, BlockedSaysWhatAndWhy) {
  Receiver receiver(serve);
  SetClock clock;
  CurlClient client(clock);
  HttpRequest request = post(receiver.url());
  request.allow_private = false;
  EXPECT_EQ(ask(client, request).detail,
            "127.0.0.1:" + std::to_string(receiver.port()) +
                ": blocked: 127.0.0.1 is a loopback address, and allow_private is not set");
}

TEST(EgressSockets, SpecialAddressesAreNeverDialled) {
  SetClock clock;
  CurlClient client(clock);
  for (const char* host : {"169.254.169.254", "[fe80::1]", "[fd00:ec2::254]", "2852039166",
                           "[::ffff:169.254.169.254]", "[64:ff9b::1.2.3.4]", "[2002:7f00:1::]",
                           "224.0.0.1", "255.255.255.255", "168.63.129.16", "0.0.0.0", "[::]"}) {
    const HttpResult result = ask(client, post("http://" + std::string(host) + ":80/"));
    EXPECT_EQ(result.end, End::kNotSent) << host;
    EXPECT_NE(result.detail.find("blocked: "), std::string::npos) << host << ": " << result.detail;
  }
}

TEST(EgressSockets, OurOwnListenerIsNeverReached) {
  Receiver ours(serve, "0.0.0.0");
  Receiver other(serve, "127.0.0.2");
  SetClock clock;
  CurlClient client(clock);
  ASSERT_TRUE(client.forbid("0.0.0.0", ours.port()));
  for (const char* host : {"127.0.0.1", "127.0.0.3", "localhost", "[::ffff:127.0.0.1]", "127.1"}) {
    const HttpResult result = ask(client, post(ours.url("/", host)));
    EXPECT_EQ(result.end, End::kNotSent) << host;
    EXPECT_NE(result.detail.find("this server itself"), std::string::npos) << result.detail;
  }
  EXPECT_EQ(ask(client, post(other.url("/", "127.0.0.2"))).status, 200);
  EXPECT_EQ(ours.connections(), 0);
}

TEST(EgressUrls, WhatIsNotPlainIsRefused) {
  Receiver receiver(serve);
  const std::string port = std::to_string(receiver.port());
  SetClock clock;
  CurlClient client(clock);
  const std::string bad[] = {
      "",
      "127.0.0.1:" + port,
      "//127.0.0.1:" + port + "/",
      "ftp://127.0.0.1:" + port + "/",
      "file:///etc/passwd",
      "gopher://127.0.0.1:" + port + "/",
      "HTTP+unix://127.0.0.1:" + port + "/",
      "http:127.0.0.1:" + port + "/",
      "http:/127.0.0.1:" + port + "/",
      "http:///127.0.0.1:" + port + "/",
      "http://user@127.0.0.1:" + port + "/",
      "http://user:hunter2@127.0.0.1:" + port + "/",
      "http://example.com@127.0.0.1:" + port + "/",
      "http://example.com\\@127.0.0.1:" + port + "/",
      "http://127.0.0.1\\.example.com:" + port + "/",
      "http://127.0.0.1%2eexample.com:" + port + "/",
      "http://%31%32%37.0.0.1:" + port + "/",
      "http://127.0.0.1:" + port + "/a b",
      "http://127.0.0.1:" + port + "/\r\nX: y",
      "http://127.0.0.1:" + port + "/\t",
      "http://127.0.0.1:" + port + std::string("/\0x", 3),
      "http://\xEF\xBC\x91\x32\x37.0.0.1:" + port + "/",
      "http://127.0.0.1:" + port + "x/",
      "http://127.0.0.1:99999/",
      "http://[fe80::1%25lo]:" + port + "/",
      "http://:" + port + "/",
      "http://127.0.0.1:" + port + "/" + std::string(70'000, 'x'),
  };
  for (const std::string& url : bad) {
    const HttpResult result = ask(client, post(url));
    EXPECT_EQ(result.end, End::kNotSent) << url;
    EXPECT_FALSE(result.detail.empty()) << url;
    EXPECT_EQ(result.detail.find("hunter2"), std::string::npos) << result.detail;
  }
  EXPECT_EQ(receiver.connections(), 0);
}

TEST(EgressHeaders, WhatWouldChangeTheMessageIsRefused) {
  Receiver receiver(serve);
  SetClock clock;
  CurlClient client(clock);
  const std::pair<std::string, std::string> bad[] = {{"X", "a\r\nY: b"},
                                                     {"X", "a\nb"},
                                                     {"X", std::string("a\0b", 3)},
                                                     {"X\r\nY", "a"},
                                                     {"X Y", "a"},
                                                     {"", "a"},
                                                     {"X:", "a"},
                                                     {"Host", "other"},
                                                     {"content-length", "5"},
                                                     {"Expect", "100-continue"},
                                                     {"Transfer-Encoding", "chunked"},
                                                     {"Connection", "keep-alive"}};
  for (const auto& header : bad) {
    HttpRequest request = post(receiver.url());
    request.headers.push_back(header);
    EXPECT_EQ(ask(client, request).end, End::kNotSent) << header.first;
  }
  for (const char* method : {"", "CONNECT", "TRACE", "get", "POST / HTTP/1.1\r\n"}) {
    HttpRequest request = post(receiver.url());
    request.method = method;
    EXPECT_EQ(ask(client, request).end, End::kNotSent) << method;
  }
  EXPECT_EQ(receiver.connections(), 0);
}

TEST(EgressSecrets, DetailsHoldNoPathQueryHeaderOrBody) {
  Receiver receiver([](Peer& peer, Receiver& self) { self.take(peer); });
  SetClock clock;
  CurlClient client(clock);
  HttpRequest request = post(receiver.url("/sesame?key=sesame"), "sesame");
  request.headers.emplace_back("Authorization", "Bearer sesame");
  for (const bool allowed : {true, false}) {
    request.allow_private = allowed;
    EXPECT_EQ(ask(client, request).detail.find("sesame"), std::string::npos);
  }
  request.headers.emplace_back("X", "sesame\n");
  EXPECT_EQ(ask(client, request).detail.find("sesame"), std::string::npos);
}

}  // namespace
}  // namespace perdure::test
