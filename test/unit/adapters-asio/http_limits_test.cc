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
  options.body_grace_ms = 100;
  options.body_min_bytes_per_s = 1'000'000;
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

TEST(HttpLimits, TakesABodyThatKeepsTheRateBeyondTheGrace) {
  HttpServerOptions options;
  options.body_grace_ms = 100;
  options.body_min_bytes_per_s = 100;
  TestServer test(echo, options);
  Client client = test.connect();
  client.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n");
  const auto began = steady_clock::now();
  for (int i = 0; i < 50; ++i) {
    client.readable(5);
    client.send(std::string(100, 'a'));
  }
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_GE(elapsed_ms(began), 100) << "too fast to have shown anything";
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
  options.write_timeout_ms = 40;
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
  options.write_timeout_ms = 100;
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
