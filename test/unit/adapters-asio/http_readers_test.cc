// Clients that ask for much and do not read it: what waits for them is bounded together.
#include <gmock/gmock.h>

#include <mutex>
#include <vector>

#include "fixture.h"

namespace perdure::http {
namespace {

using std::chrono::steady_clock;
using testing::HasSubstr;

constexpr size_t kMiB = 1u << 20;
// Beyond what the system takes for a client that reads nothing.
constexpr size_t kAnswerBytes = 12 * kMiB;

int64_t elapsed_ms(steady_clock::time_point since) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(steady_clock::now() - since).count();
}

void answer_at_length(api::Request request, ResponderPtr responder) {
  request.target == "/small" ? responder->respond(text("small"))
                             : responder->respond(text(std::string(kAnswerBytes, 'x')));
}

HttpServerOptions two_answers() {
  HttpServerOptions options;
  options.max_unsent_bytes = 2 * kAnswerBytes + kMiB;
  return options;
}

Client reads_nothing(const TestServer& test, const std::string& method = "GET") {
  Client client(test.server.port(), 4096);
  client.send(method + " /large HTTP/1.1\r\nHost: x\r\n\r\n");
  client.readable(kPatienceMs);  // it has been answered
  return client;
}

TEST(HttpReaders, AnswersThatWaitAreBoundedTogether) {
  HttpServerOptions options = two_answers();
  options.stands_still_ms = kPatienceMs;
  TestServer test(answer_at_length, options);
  std::vector<Client> waiting;
  for (int i = 0; i < 2; ++i) waiting.push_back(reads_nothing(test));
  Client more = test.connect();
  more.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  const Answer refused = more.read_answer();
  EXPECT_EQ(refused.status, 503);
  EXPECT_THAT(refused.body, HasSubstr("too_many_answers"));
  more.send("GET /small HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(more.read_answer().status, 200) << "what is small is answered";
  EXPECT_EQ(waiting[0].read_answer().body.size(), kAnswerBytes) << "who came first loses nothing";
  more.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(more.read_answer().body.size(), kAnswerBytes) << "and what is read counts no more";
}

// An answer that says what has been done is not replaced by one that says it was refused.
TEST(HttpReaders, WhatChangedSomethingIsCutAndNotRefused) {
  HttpServerOptions options = two_answers();
  options.stands_still_ms = kPatienceMs;
  TestServer test(answer_at_length, options);
  std::vector<Client> waiting;
  for (int i = 0; i < 2; ++i) waiting.push_back(reads_nothing(test));
  Client more = test.connect();
  more.send("POST /large HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n");
  EXPECT_TRUE(more.at_end());
}

TEST(HttpReaders, WhoStandsStillMakesRoom) {
  HttpServerOptions options = two_answers();
  options.stands_still_ms = 50;
  TestServer test(answer_at_length, options);
  std::vector<Client> waiting;
  for (int i = 0; i < 5; ++i) {
    waiting.push_back(reads_nothing(test));
    waiting.back().read_exactly(1);
    const auto began = steady_clock::now();
    while (elapsed_ms(began) < 100) waiting.back().readable(10);
  }
  Client more = test.connect();
  more.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  EXPECT_EQ(more.read_answer().body.size(), kAnswerBytes);
  EXPECT_LT(waiting[0].read_to_end().size(), kAnswerBytes) << "who stood still longest";
}

TEST(HttpReaders, OneAnswerAloneMayBeOfAnySize) {
  HttpServerOptions options;
  options.max_unsent_bytes = kMiB;
  TestServer test(answer_at_length, options);
  Client client = reads_nothing(test);
  EXPECT_EQ(client.read_answer().body.size(), kAnswerBytes);
}

// So much at a time, with a pause before each.
size_t read_slowly(Client& client, int times, size_t bytes, int pause_ms) {
  size_t got = 0;
  for (int i = 0; i < times; ++i) {
    const auto began = steady_clock::now();
    while (elapsed_ms(began) < pause_ms) client.readable(1);
    got += client.read_exactly(bytes).size();
  }
  return got;
}

TEST(HttpReaders, AReaderThatTricklesIsCut) {
  HttpServerOptions options;
  options.write_window_ms = 200;
  options.write_window_bytes = 4 * kMiB;
  TestServer test(answer_at_length, options);
  Client client = reads_nothing(test);
  const size_t got = read_slowly(client, 100, 1'000, 5);
  EXPECT_LT(got + client.read_to_end().size(), kAnswerBytes);
  EXPECT_TRUE(client.closed());
}

TEST(HttpReaders, ASlowReaderThatGoesOnIsServed) {
  HttpServerOptions options;
  options.write_window_ms = 400;
  options.write_window_bytes = 40'000;
  TestServer test(answer_at_length, options);
  Client client(test.server.port(), 256 << 10);
  client.send(kGet);
  EXPECT_FALSE(client.read_through("\r\n\r\n").empty());
  const size_t got = read_slowly(client, 30, 60'000, 50);
  EXPECT_EQ(got + client.read_exactly(kAnswerBytes - got).size(), kAnswerBytes);
}

TEST(HttpReaders, StreamsCountAsWell) {
  HttpServerOptions options = two_answers();
  options.stands_still_ms = kPatienceMs;
  std::mutex mutex;
  std::vector<ResponderPtr> streams;
  TestServer test(
      [&](api::Request, ResponderPtr responder) {
        api::Response head;
        head.headers.emplace_back("content-type", "text/event-stream");
        responder->start_stream(head);
        responder->write(std::string(kAnswerBytes, 'x'));
        const std::lock_guard lock(mutex);
        streams.push_back(responder);
      },
      options);
  std::vector<Client> clients;
  for (int i = 0; i < 3; ++i) clients.push_back(reads_nothing(test));
  const auto all = [&clients](size_t i) { return clients[i].read_exactly(kAnswerBytes).size(); };
  EXPECT_LT(all(2), kAnswerBytes) << "for the third there was no room";
  EXPECT_EQ(all(0), kAnswerBytes);
  EXPECT_EQ(all(1), kAnswerBytes);
}

}  // namespace
}  // namespace perdure::http
