#include <gmock/gmock.h>
#include <sys/resource.h>

#include <vector>

#include "fixture.h"

namespace perdure::http {
namespace {

using std::chrono::steady_clock;
using testing::HasSubstr;

int64_t elapsed_ms(steady_clock::time_point since) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - since).count();
}

TEST(HttpLimits, CountsTheHeadersTimeFromTheFirstByteNotTheLast) {
  HttpServerOptions options;
  options.header_timeout_ms = 150;
  TestServer test(echo, options);
  Client client = test.connect();
  const auto began = steady_clock::now();
  client.send("GET / HTTP/1.1\r\nHost: x\r\nA: ");
  // A byte now and then, for as long as it lasts.
  while (!client.readable(5) && elapsed_ms(began) < kPatienceMs) client.send("a");
  const Answer answer = client.read_answer();
  EXPECT_GE(elapsed_ms(began), 149);  // the server's clock has whole milliseconds
  EXPECT_LT(elapsed_ms(began), kPatienceMs);
  EXPECT_EQ(answer.status, 408);
  EXPECT_THAT(answer.body, HasSubstr("header_timeout"));
  EXPECT_EQ(test.handler.calls, 0);
}

TEST(HttpLimits, RefusesABodyThatIsTooSlow) {
  HttpServerOptions options;
  options.body_window_ms = 100;
  options.body_window_bytes = 100'000;
  TestServer test(echo, options);
  Client client = test.connect();
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n");
  const auto began = steady_clock::now();
  while (!client.readable(5) && elapsed_ms(began) < kPatienceMs) client.send("a");
  const Answer answer = client.read_answer();
  EXPECT_LT(elapsed_ms(began), kPatienceMs);
  EXPECT_EQ(answer.status, 408);
  EXPECT_THAT(answer.body, HasSubstr("body_timeout"));
  EXPECT_EQ(test.handler.calls, 0);
}

TEST(HttpLimits, TakesABodyThatKeepsTheRateForLongerThanAWindow) {
  HttpServerOptions options;
  options.body_window_ms = 200;
  options.body_window_bytes = 400;
  TestServer test(echo, options);
  Client client = test.connect();
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10000\r\n\r\n");
  const auto began = steady_clock::now();
  for (int i = 0; i < 100; ++i) {
    client.readable(5);
    client.send(std::string(100, 'a'));
  }
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_GE(elapsed_ms(began), 300) << "too fast to have shown anything";
}

// Nearly all of it at once, and then nothing: what came early buys no time.
TEST(HttpLimits, ABodyThatStandsStillIsCutHoweverMuchOfItCame) {
  HttpServerOptions options;
  options.body_window_ms = 100;
  options.body_window_bytes = 1'000;
  TestServer test(echo, options);
  Client client = test.connect();
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n" +
              std::string(1'999'999, 'a'));
  const auto began = steady_clock::now();
  EXPECT_EQ(client.read_answer().status, 408);
  EXPECT_LT(elapsed_ms(began), kPatienceMs / 2);
}

TEST(HttpLimits, AsksTheHandlerBeforeABodyGrows) {
  TestServer test;
  test.handler.limit = [](const api::Request& head) -> tl::expected<size_t, api::Response> {
    if (!head.header("authorization")) return tl::unexpected(text("who is it?", 401));
    return 1'000;
  };
  Client stranger = test.connect();
  stranger.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000000\r\n\r\n");
  Answer answer = stranger.read_answer();  // of the body nothing was sent
  EXPECT_EQ(answer.status, 401);
  EXPECT_EQ(answer.headers.at("connection"), "close");
  stranger.end_sending();
  EXPECT_TRUE(stranger.at_end());

  const std::string known = "POST / HTTP/1.1\r\nHost: x\r\nAuthorization: a\r\n";
  Client long_body = test.connect();
  long_body.send(known + "Content-Length: 1001\r\n\r\n");
  EXPECT_EQ(long_body.read_answer().status, 413);
  Client chunks = test.connect();
  chunks.send(known + "Transfer-Encoding: chunked\r\n\r\n");
  chunks.send("3E8\r\n" + std::string(1'000, 'a') + "\r\n1\r\n");
  EXPECT_EQ(chunks.read_answer().status, 413);
  EXPECT_EQ(test.handler.calls, 0);

  Client fine = test.connect();
  fine.send(known + "Expect: 100-continue\r\nContent-Length: 1000\r\n\r\n");
  EXPECT_FALSE(fine.read_through("100 Continue\r\n\r\n").empty());
  fine.send(std::string(1'000, 'a'));
  EXPECT_EQ(fine.read_answer().status, 200);
  fine.send(post("b", "Authorization: a\r\n"));
  EXPECT_EQ(fine.read_answer().status, 200) << "the next request begins anew";
}

TEST(HttpLimits, BodiesOfStrangersKeepNobodyOut) {
  HttpServerOptions options;
  options.max_bodies_bytes = 1u << 20;
  TestServer test(echo, options);
  test.handler.limit = [](const api::Request& head) -> tl::expected<size_t, api::Response> {
    if (!head.header("authorization")) return tl::unexpected(text("who is it?", 401));
    return SIZE_MAX;
  };
  std::vector<Client> strangers;
  for (int i = 0; i < 8; ++i) {
    strangers.push_back(test.connect());
    strangers.back().send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 900000\r\n\r\n" +
                          std::string(899'999, 'a'));
  }
  Client known = test.connect();
  known.send("POST / HTTP/1.1\r\nHost: x\r\nAuthorization: a\r\nContent-Length: 900000\r\n\r\n");
  known.send(std::string(450'000, 'a'));
  known.readable(50);
  known.send(std::string(450'000, 'a'));
  EXPECT_EQ(known.read_answer().status, 200);
  for (Client& stranger : strangers) EXPECT_EQ(stranger.read_answer().status, 401);
}

// Each body may be as long as a planner's answer, and come as slowly as it likes above the rate:
// what all of them together hold has a limit of its own.
TEST(HttpLimits, UnfinishedBodiesTogetherAreBounded) {
  HttpServerOptions options;
  options.max_bodies_bytes = 10'000;
  TestServer test(echo, options);
  Client held = test.connect();
  held.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n" + std::string(8'999, 'a'));
  Client small = test.connect();
  small.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 500\r\n\r\n" + std::string(500, 'b'));
  EXPECT_EQ(small.read_answer().status, 200);
  Client more = test.connect();
  more.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 3000\r\n\r\n" + std::string(2'000, 'c'));
  const Answer refused = more.read_answer();
  EXPECT_EQ(refused.status, 503);
  EXPECT_THAT(refused.body, HasSubstr("too_many_bodies"));
  held.send("a");
  EXPECT_EQ(held.read_answer().status, 200) << "who came first goes on";
  Client again = test.connect();
  again.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n" +
             std::string(9'000, 'd'));
  EXPECT_EQ(again.read_answer().status, 200) << "what was refused or answered counts no more";
}

TEST(HttpLimits, ClosesIdleConnectionsWithoutAWord) {
  HttpServerOptions options;
  options.idle_timeout_ms = 100;
  TestServer test(echo, options);
  Client silent = test.connect();
  Client used = test.connect();
  used.send(kGet);
  EXPECT_EQ(used.read_answer().status, 200);
  EXPECT_TRUE(silent.at_end());
  EXPECT_TRUE(used.at_end());
}

TEST(HttpLimits, AWaitingHandlerIsNotIdle) {
  HttpServerOptions options;
  options.idle_timeout_ms = 40;
  options.header_timeout_ms = 40;
  options.write_window_ms = 40;
  TestServer* server = nullptr;
  TestServer test(
      [&server](api::Request, ResponderPtr responder) {
        server->server.timers().after(300, [responder] { responder->respond(text("late")); });
      },
      options);
  server = &test;
  Client client = test.connect();
  client.send(kGet);
  EXPECT_EQ(client.read_answer().body, "late");
}

TEST(HttpLimits, GivesUpOnAClientThatDoesNotRead) {
  HttpServerOptions options;
  options.write_window_ms = 100;
  options.max_connections = 1;
  TestServer test(
      [](api::Request request, ResponderPtr responder) {
        request.target == "/big" ? responder->respond(text(std::string(64u << 20, 'x')))
                                 : echo(request, responder);
      },
      options);
  Client greedy(test.server.port(), 4096);
  greedy.send("GET /big HTTP/1.1\r\nHost: x\r\n\r\n");
  // Its place is free for another when the server has given up.
  const auto began = steady_clock::now();
  int status = 0;
  while (status != 200 && elapsed_ms(began) < kPatienceMs) {
    Client other = test.connect();
    other.send(kGet);
    status = other.read_answer().status;
    if (status == 0) other.readable(5);
  }
  EXPECT_EQ(status, 200);
  EXPECT_LT(greedy.read_to_end().size(), 64u << 20);
}

TEST(HttpLimits, RefusesConnectionsAboveTheLimit) {
  HttpServerOptions options;
  options.max_connections = 2;
  TestServer test(echo, options);
  Client first = test.connect();
  first.send(kGet);
  EXPECT_EQ(first.read_answer().status, 200);
  Client second = test.connect();
  Client third = test.connect();
  const Answer refused = third.read_answer();
  EXPECT_EQ(refused.status, 503);
  EXPECT_EQ(refused.headers.at("retry-after"), "1");
  EXPECT_THAT(refused.body, HasSubstr("too_many_connections"));
  EXPECT_TRUE(third.at_end());
  second.send(kGet);
  EXPECT_EQ(second.read_answer().status, 200);
}

TEST(HttpLimits, StrangersMakeRoomForWhoComesLater) {
  HttpServerOptions options;
  options.max_strangers = 3;
  TestServer test(
      [](api::Request request, ResponderPtr responder) {
        if (request.header("authorization")) responder->sender_is_known();
        echo(std::move(request), std::move(responder));
      },
      options);
  Client known = test.connect();
  known.send("GET / HTTP/1.1\r\nHost: x\r\nAuthorization: a\r\n\r\n");
  EXPECT_EQ(known.read_answer().status, 200);
  Client used = test.connect();
  used.send(kGet);
  EXPECT_EQ(used.read_answer().status, 200);
  std::vector<Client> idle;
  for (int i = 0; i < 5; ++i) idle.push_back(test.connect());
  Client last = test.connect();
  last.send(kGet);
  EXPECT_EQ(last.read_answer().status, 200);
  EXPECT_TRUE(used.at_end());
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(idle[static_cast<size_t>(i)].at_end()) << i;
  EXPECT_FALSE(idle[3].readable(50));
  EXPECT_FALSE(idle[4].readable(0));
  known.send(kGet);
  EXPECT_EQ(known.read_answer().status, 200) << "who was known stays so";
}

TEST(HttpLimits, AnswersATooLargeBodyThatIsStillBeingSent) {
  TestServer test;
  Client client = test.connect();
  ASSERT_TRUE(client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8388608\r\n\r\n"));
  // Were the connection closed at once, the rest would bring a reset that destroys the answer.
  EXPECT_TRUE(client.send(std::string(8u << 20, 'x')));
  EXPECT_EQ(client.read_answer().status, 413);
  client.end_sending();
  EXPECT_TRUE(client.at_end());
}

TEST(HttpLimits, DropsHalfRequestsWhoseClientHasGone) {
  TestServer test;
  const std::string request = post("abcdefgh");
  for (size_t size = 1; size < request.size(); ++size) {
    Client client = test.connect();
    client.send(request.substr(0, size));
    client.end_sending();
    ASSERT_TRUE(client.at_end()) << size;
  }
  EXPECT_EQ(test.handler.calls, 0);
}

TEST(HttpLimits, KeepsTwoThousandIdleConnectionsUsable) {
  constexpr size_t kConnections = 2000;
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = std::min<rlim_t>(files.rlim_max, 2 * kConnections + 200);
  setrlimit(RLIMIT_NOFILE, &files);
  ASSERT_GE(files.rlim_cur, 2 * kConnections + 100) << "raise the hard limit of open files";
  TestServer test;
  std::vector<Client> clients;
  for (size_t i = 0; i < kConnections; ++i) {
    clients.push_back(test.connect());
    ASSERT_TRUE(clients.back().connected()) << i;
  }
  for (size_t round = 0; round < 2; ++round) {
    for (size_t i = 0; i < kConnections; i += 37) {
      clients[i].send(kGet);
      ASSERT_EQ(clients[i].read_answer().status, 200) << i;
    }
  }
  Client another = test.connect();
  another.send(kGet);
  EXPECT_EQ(another.read_answer().status, 200);
}

}  // namespace
}  // namespace perdure::http
