#include <gmock/gmock.h>

#include <thread>

#include "fixture.h"

namespace perdure::http {
namespace {

api::Response stream_head() {
  api::Response head;
  head.headers.emplace_back("content-type", "text/event-stream");
  return head;
}

// Hands each request's responder to the test.
struct HeldRequest {
  Handover<ResponderPtr> responder;
  std::promise<void> disconnected;
  TestServer test;
  explicit HeldRequest(HttpServerOptions options = {})
      : test(
            [this](api::Request, ResponderPtr held) {
              held->on_disconnect([this] { disconnected.set_value(); });
              responder.put(std::move(held));
            },
            options) {}
};

TEST(HttpStream, WritesEventsAsTheyComeFromAnyThread) {
  HeldRequest held;
  Client client = held.test.connect();
  client.send(kGet + kGet.substr(0, 10));
  ResponderPtr responder = held.responder.get();
  responder->start_stream(stream_head());
  const std::string head = client.read_through("\r\n\r\n");
  EXPECT_THAT(head, testing::HasSubstr("transfer-encoding: chunked\r\n"));
  EXPECT_THAT(head, testing::Not(testing::HasSubstr("content-length")));
  for (int i = 0; i < 20; ++i) {
    const std::string event = "data: " + std::to_string(i) + "\n\n";
    EXPECT_TRUE(responder->write(event));
    EXPECT_TRUE(responder->write(""));  // not the end
    EXPECT_EQ(client.read_through("\n\n").substr(3), event);
    EXPECT_EQ(client.read_exactly(2), "\r\n");
  }
  responder->end_stream();
  EXPECT_EQ(client.read_exactly(5), "0\r\n\r\n");
}

TEST(HttpStream, KeepsTheOrderOfManyWritesAndTheConnection) {
  TestServer test([](api::Request request, ResponderPtr responder) {
    if (request.target != "/stream") return echo(request, responder);
    responder->start_stream(stream_head());
    std::thread([responder] {
      for (int i = 0; i < 20'000; ++i) responder->write(std::to_string(i) + "\n");
      responder->end_stream();
    }).detach();
  });
  Client client = test.connect();
  client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n" + kGet);
  std::string expected;
  for (int i = 0; i < 20'000; ++i) expected += std::to_string(i) + "\n";
  EXPECT_EQ(client.read_answer().body, expected);
  EXPECT_EQ(client.read_answer().body, "GET /a?b=c ");
}

TEST(HttpStream, EndsAnHttp10StreamWithTheConnection) {
  HeldRequest held;
  Client client = held.test.connect();
  client.send("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  ResponderPtr responder = held.responder.get();
  responder->start_stream(stream_head());
  responder->write("a");
  responder->write("b");
  responder->end_stream();
  const Answer answer = client.read_answer();
  EXPECT_EQ(answer.body, "ab");
  EXPECT_EQ(answer.headers.at("connection"), "close");
  EXPECT_FALSE(answer.headers.contains("transfer-encoding"));
}

TEST(HttpStream, AnswersHeadWithTheHeadAlone) {
  std::promise<bool> wrote;
  TestServer test([&wrote](api::Request request, ResponderPtr responder) {
    if (request.method != "HEAD") return echo(request, responder);
    responder->start_stream(stream_head());
    wrote.set_value(responder->write("data"));
    responder->end_stream();
  });
  Client client = test.connect();
  client.send("HEAD / HTTP/1.1\r\nHost: x\r\n\r\n" + kGet);
  EXPECT_EQ(client.read_answer(true).status, 200);
  EXPECT_EQ(client.read_answer().body, "GET /a?b=c ");
  EXPECT_FALSE(wrote.get_future().get());
}

TEST(HttpStream, CutsAReaderThatIsTooSlow) {
  HttpServerOptions options;
  options.max_stream_bytes = 64u << 10;
  HeldRequest held(options);
  Client client(held.test.server.port(), 4096);
  client.send(kGet);
  ResponderPtr responder = held.responder.get();
  responder->start_stream(stream_head());
  const std::string event(8u << 10, 'e');
  size_t taken = 0;
  // The system's buffers take some megabytes before anything waits here.
  while (taken < 256u << 20 && responder->write(event)) taken += event.size();
  EXPECT_LT(taken, 64u << 20);
  EXPECT_FALSE(responder->write(event));
  EXPECT_TRUE(arrives(held.disconnected.get_future()));
  const std::string received = client.read_to_end();
  EXPECT_TRUE(client.closed());
  EXPECT_THAT(received, testing::Not(testing::EndsWith("0\r\n\r\n")));
  responder->end_stream();
}

// No two places of it are alike.
std::string long_text() {
  std::string bytes;
  for (int i = 0; bytes.size() < 32u << 20; ++i) bytes += std::to_string(i) + ' ';
  return bytes;
}

TEST(HttpStream, TakesOneWriteOfAnySize) {
  HttpServerOptions options;
  options.max_stream_bytes = 1000;
  HeldRequest held(options);
  Client client(held.test.server.port(), 65536);
  client.send(kGet);
  ResponderPtr responder = held.responder.get();
  responder->start_stream(stream_head());
  EXPECT_NE(client.read_through("\r\n\r\n"), "");  // nothing waits
  const std::string bytes = long_text();
  EXPECT_TRUE(responder->write(bytes));
  responder->end_stream();
  EXPECT_NE(client.read_through("\r\n"), "");
  EXPECT_TRUE(client.read_exactly(bytes.size()) == bytes);
  EXPECT_EQ(client.read_exactly(7), "\r\n0\r\n\r\n");
}

TEST(HttpStream, MayBeQuietForLongOnceItsReaderHasCaughtUp) {
  HttpServerOptions options;
  options.write_window_ms = 500;
  HeldRequest held(options);
  Client client(held.test.server.port(), 65536);
  client.send(kGet);
  ResponderPtr responder = held.responder.get();
  responder->start_stream(stream_head());
  EXPECT_NE(client.read_through("\r\n\r\n"), "");
  const std::string bytes = long_text();
  EXPECT_TRUE(responder->write(bytes));
  EXPECT_NE(client.read_through("\r\n"), "");
  EXPECT_TRUE(client.read_exactly(bytes.size()) == bytes);
  std::promise<bool> wrote;
  held.test.server.timers().after(1200, [&wrote, responder] {
    wrote.set_value(responder->write("more"));
    responder->end_stream();
  });
  EXPECT_EQ(client.read_exactly(16), "\r\n4\r\nmore\r\n0\r\n\r\n");
  EXPECT_TRUE(wrote.get_future().get());
}

TEST(HttpStream, CutsAStreamThatItsHandlerForgets) {
  HeldRequest held;
  Client client = held.test.connect();
  client.send(kGet);
  ResponderPtr responder = held.responder.get();
  responder->start_stream(stream_head());
  responder->write("a");
  responder.reset();
  const std::string received = client.read_to_end();
  EXPECT_TRUE(client.closed());
  EXPECT_THAT(received, testing::EndsWith("1\r\na\r\n"));
}

TEST(HttpDisconnect, IsNoticedWhileAnAnswerIsAwaited) {
  HeldRequest held;
  Client client = held.test.connect();
  client.send(kGet);
  ResponderPtr responder = held.responder.get();
  client.close();
  EXPECT_TRUE(arrives(held.disconnected.get_future()));
  responder->respond(text("to nobody"));
  Client next = held.test.connect();
  EXPECT_TRUE(next.connected());
}

TEST(HttpDisconnect, IsNoticedWhileAStreamIsQuiet) {
  HeldRequest held;
  Client client = held.test.connect();
  client.send(kGet);
  ResponderPtr responder = held.responder.get();
  responder->start_stream(stream_head());
  client.close();
  EXPECT_TRUE(arrives(held.disconnected.get_future()));
  EXPECT_FALSE(responder->write("to nobody"));
  responder->end_stream();
}

TEST(HttpDisconnect, IsToldToWhoAsksTooLate) {
  Handover<ResponderPtr> responder;
  std::promise<void> first;
  TestServer test([&](api::Request, ResponderPtr held) {
    held->on_disconnect([&first] { first.set_value(); });
    responder.put(std::move(held));
  });
  Client client = test.connect();
  client.send(kGet);
  ResponderPtr held = responder.get();
  client.close();
  ASSERT_TRUE(arrives(first.get_future()));
  std::promise<std::thread::id> second;
  held->on_disconnect([&second] { second.set_value(std::this_thread::get_id()); });
  auto called = second.get_future();
  ASSERT_TRUE(arrives(called));
  EXPECT_NE(called.get(), std::this_thread::get_id());
}

TEST(HttpDisconnect, AnswersAClientThatOnlyClosedItsSendingSide) {
  HeldRequest held;
  Client client = held.test.connect();
  client.send(kGet);
  client.end_sending();
  ResponderPtr responder = held.responder.get();
  EXPECT_TRUE(arrives(held.disconnected.get_future()));
  responder->respond(text("still here"));
  EXPECT_EQ(client.read_answer().body, "still here");
  EXPECT_TRUE(client.at_end());
}

TEST(HttpDisconnect, AnswersAllRequestsSentBeforeTheSendingSideClosed) {
  TestServer test;
  Client client = test.connect();
  client.send(kGet + post("x") + kGet);
  client.end_sending();
  for (int i = 0; i < 3; ++i) EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_TRUE(client.at_end());
}

TEST(HttpDisconnect, IsNotToldAfterTheAnswer) {
  std::atomic<int> told{0};
  TestServer test([&told](api::Request request, ResponderPtr responder) {
    responder->on_disconnect([&told] { ++told; });
    echo(request, responder);
  });
  {
    Client client = test.connect();
    client.send(kGet);
    EXPECT_EQ(client.read_answer().status, 200);
  }
  test.server.stop(kPatienceMs);
  EXPECT_EQ(told, 0);
}

// A handler keeps the responder alive by what it wants to do when the client goes: a ring.
TEST(HttpDisconnect, LetsTheResponderGoWithTheAnswer) {
  std::weak_ptr<api::Responder> answered;
  std::weak_ptr<api::Responder> streamed;
  TestServer test([&](api::Request request, ResponderPtr responder) {
    responder->on_disconnect([responder] { responder->write("never"); });
    if (request.method == "GET") {
      answered = responder;
      echo(request, responder);
    } else {
      streamed = responder;
      responder->start_stream(stream_head());
      responder->end_stream();
    }
  });
  Client client = test.connect();
  client.send(kGet + post(""));
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_EQ(client.read_answer().status, 200);
  test.server.stop(0);
  EXPECT_TRUE(answered.expired());
  EXPECT_TRUE(streamed.expired());
}

}  // namespace
}  // namespace perdure::http
