#include "adapters/asio/http_server.h"

#include <gmock/gmock.h>

#include <mutex>
#include <thread>
#include <vector>

#include "base/json.h"
#include "fixture.h"
#include "request_corpus.h"

namespace perdure::http {
namespace {

using testing::HasSubstr;

TEST(HttpServer, AnswersRequestsOnOneConnection) {
  TestServer test;
  Client client = test.connect();
  for (const std::string body : {"", "one", "two"}) {
    client.send(post(body));
    const Answer answer = client.read_answer();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "POST /p " + body);
    EXPECT_EQ(answer.headers.at("content-type"), "text/plain");
    EXPECT_THAT(answer.headers.at("date"), testing::EndsWith(" GMT"));
    EXPECT_FALSE(answer.headers.contains("connection"));
  }
}

TEST(HttpServer, AnswersPipelinedRequestsInTheirOrder) {
  // Every second answer comes from another thread, later than the next request arrived.
  std::vector<std::thread> threads;
  TestServer test([&threads](api::Request request, ResponderPtr responder) {
    if (request.target.back() % 2 == 0) {
      responder->respond(text(request.target));
      return;
    }
    threads.emplace_back([request, responder] { responder->respond(text(request.target)); });
  });
  Client client = test.connect();
  std::string bytes;
  for (int i = 0; i < 200; ++i) {
    bytes += "GET /" + std::to_string(i) + " HTTP/1.1\r\nHost: x\r\n\r\n";
  }
  client.send(bytes);
  for (int i = 0; i < 200; ++i) {
    ASSERT_EQ(client.read_answer().body, "/" + std::to_string(i));
  }
  test.server.stop(0);
  for (std::thread& thread : threads) thread.join();
}

TEST(HttpServer, TakesMorePipelinedBytesThanItKeeps) {
  Handover<ResponderPtr> first;
  std::atomic<bool> held{false};
  TestServer test([&](api::Request request, ResponderPtr responder) {
    held.exchange(true) ? echo(request, responder) : first.put(responder);
  });
  Client client = test.connect();
  constexpr int kRequests = 300;
  std::thread sender([&client] {
    for (int i = 0; i < kRequests; ++i) client.send(post(std::string(2000, 'x')));
  });
  first.get()->respond(text("first"));
  EXPECT_EQ(client.read_answer().body, "first");
  for (int i = 1; i < kRequests; ++i) ASSERT_EQ(client.read_answer().body.size(), 2008u) << i;
  sender.join();
}

TEST(HttpServer, RefusesAmbiguousRequestsAndCloses) {
  TestServer test;
  for (const BadRequest& bad : bad_requests()) {
    Client client = test.connect();
    client.send(bad.bytes);
    const bool to_head = false;
    const Answer answer = client.read_answer(to_head);
    EXPECT_EQ(answer.status, bad.status) << bad.bytes.substr(0, 200);
    EXPECT_EQ(answer.headers.at("connection"), "close");
    EXPECT_EQ(answer.headers.at("content-type"), "application/problem+json");
    const auto problem = parse_json(answer.body, "problem");
    ASSERT_TRUE(problem) << answer.body;
    for (const char* member : {"type", "title", "detail", "code"}) {
      EXPECT_NE(problem->at(member).as_string(), "") << member;
    }
    EXPECT_EQ(problem->at("status").as_int64(), bad.status);
    EXPECT_TRUE(client.at_end()) << bad.bytes.substr(0, 200);
  }
  EXPECT_EQ(test.handler.calls, 0);
}

TEST(HttpServer, RefusesTheSecondOfTwoRequestsBehindTheAnswerToTheFirst) {
  TestServer test;
  Client client = test.connect();
  client.send(kGet + "GET / HTTP/1.1\r\nHost : x\r\n\r\n" + kGet);
  EXPECT_EQ(client.read_answer().status, 200);
  EXPECT_EQ(client.read_answer().status, 400);
  EXPECT_TRUE(client.at_end());
  EXPECT_EQ(test.handler.calls, 1);
}

TEST(HttpServer, ClosesWhenTheClientAsksForIt) {
  TestServer test;
  Client client = test.connect();
  client.send("GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n" + kGet);
  const Answer answer = client.read_answer();
  EXPECT_EQ(answer.headers.at("connection"), "close");
  EXPECT_TRUE(client.at_end());
  EXPECT_EQ(test.handler.calls, 1);
}

TEST(HttpServer, SpeaksHttp10) {
  TestServer test;
  Client client = test.connect();
  client.send("GET /1 HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
  const Answer first = client.read_answer();
  EXPECT_EQ(first.body, "GET /1 ");
  EXPECT_EQ(first.headers.at("connection"), "keep-alive");
  client.send("GET /2 HTTP/1.0\r\n\r\n");
  const Answer second = client.read_answer();
  EXPECT_EQ(second.body, "GET /2 ");
  EXPECT_EQ(second.headers.at("connection"), "close");
  EXPECT_TRUE(client.at_end());
}

TEST(HttpServer, AnswersHeadAndEmptyStatusWithoutABody) {
  TestServer test([](api::Request request, ResponderPtr responder) {
    request.target == "/204" ? responder->respond(text("", 204)) : echo(request, responder);
  });
  Client client = test.connect();
  client.send("HEAD /h HTTP/1.1\r\nHost: x\r\n\r\n");
  const Answer head = client.read_answer(true);
  EXPECT_EQ(head.status, 200);
  EXPECT_EQ(head.headers.at("content-length"), "8");
  client.send("GET /204 HTTP/1.1\r\nHost: x\r\n\r\n");
  const Answer empty = client.read_answer();
  EXPECT_EQ(empty.status, 204);
  EXPECT_FALSE(empty.headers.contains("content-length"));
  client.send(kGet);
  EXPECT_EQ(client.read_answer().body, "GET /a?b=c ");
}

TEST(HttpServer, SaysContinueOnceAndOnlyWhenTheBodyIsAwaited) {
  TestServer test;
  Client client = test.connect();
  const std::string head =
      "POST /p HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 4\r\n\r\n";
  client.send(head);
  EXPECT_EQ(client.read_answer().status, 100);
  client.send("ab");
  client.send("cd");
  EXPECT_EQ(client.read_answer().body, "POST /p abcd");
  client.send(head + "efgh");
  EXPECT_EQ(client.read_answer().body, "POST /p efgh");
  // A body that would be refused is not asked for.
  client.send(
      "POST /p HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n");
  EXPECT_EQ(client.read_answer().status, 413);
}

TEST(HttpServer, CarriesLargeBodiesBothWays) {
  TestServer test;
  Client client = test.connect();
  const std::string body(4u << 20, 'b');
  std::string chunked = "POST /p HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  for (size_t at = 0; at < body.size(); at += 1u << 16) {
    chunked += "10000\r\n" + body.substr(at, 1u << 16) + "\r\n";
  }
  chunked += "0\r\n\r\n";
  for (const std::string& request : {post(body), chunked}) {
    client.send(request);
    const Answer answer = client.read_answer();
    EXPECT_EQ(answer.status, 200);
    EXPECT_EQ(answer.body, "POST /p " + body);
  }
}

TEST(HttpServer, LetsNoHeaderOfAHandlerBecomeTwo) {
  TestServer test([](api::Request, ResponderPtr responder) {
    api::Response response = text("body");
    response.headers.emplace_back("x-echo", "a\r\nset-cookie: b\r\n\r\nc");
    responder->respond(response);
  });
  Client client = test.connect();
  client.send(kGet);
  const Answer answer = client.read_answer();
  EXPECT_EQ(answer.headers.at("x-echo"), "a  set-cookie: b    c");
  EXPECT_EQ(answer.body, "body");
}

TEST(HttpServer, AnswersForAHandlerThatThrowsOrForgets) {
  TestServer test([](api::Request request, ResponderPtr) {
    if (request.target == "/throw") throw std::runtime_error("on purpose");
  });
  Client client = test.connect();
  for (const char* target : {"/throw", "/forget"}) {
    client.send("GET " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n\r\n");
    const Answer answer = client.read_answer();
    EXPECT_EQ(answer.status, 500);
    EXPECT_THAT(answer.body, HasSubstr(R"("code":"internal")"));
  }
}

TEST(HttpServer, ServesManyClientsOnSeveralThreads) {
  HttpServerOptions options;
  options.threads = 2;
  TestServer test(echo, options);
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&test, &good] {
      Client client = test.connect();
      for (int i = 0; i < 200; ++i) {
        client.send(post(std::to_string(i)));
        if (client.read_answer().body == "POST /p " + std::to_string(i)) ++good;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(good, 1600);
}

TEST(HttpServerStart, SaysWhatIsWrongWithTheAddress) {
  TestServer first;
  FunctionHandler handler(echo);
  HttpServerOptions options;
  options.port = first.server.port();
  const Status taken = HttpServer(options, handler).start();
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Code::kConflict);
  EXPECT_THAT(taken.error().message, HasSubstr("127.0.0.1:" + std::to_string(options.port)));
  EXPECT_THAT(taken.error().message, HasSubstr("choose another port"));

  options.port = 0;
  options.address = "localhost";
  const Status name = HttpServer(options, handler).start();
  ASSERT_FALSE(name);
  EXPECT_EQ(name.error().code, Code::kInvalid);
  EXPECT_THAT(name.error().message, HasSubstr("127.0.0.1"));

  options.address = "192.0.2.1";  // RFC 5737: no machine's
  const Status foreign = HttpServer(options, handler).start();
  ASSERT_FALSE(foreign);
  EXPECT_THAT(foreign.error().message, HasSubstr("no interface"));
}

TEST(HttpServerStop, LetsAnAnswerInFlightFinish) {
  Handover<ResponderPtr> waiting;
  TestServer test([&](api::Request, ResponderPtr responder) { waiting.put(responder); });
  Client busy = test.connect();
  Client idle = test.connect();
  busy.send(kGet);
  ResponderPtr responder = waiting.get();
  std::thread stopper([&test] { test.server.stop(kPatienceMs); });
  EXPECT_TRUE(idle.at_end());  // draining has begun
  EXPECT_FALSE(test.connect().connected());
  responder->respond(text("last"));
  const Answer answer = busy.read_answer();
  EXPECT_EQ(answer.body, "last");
  EXPECT_EQ(answer.headers.at("connection"), "close");
  EXPECT_TRUE(busy.at_end());
  stopper.join();
}

TEST(HttpServerStop, ClosesWhatIsNotAnsweredInTime) {
  Handover<ResponderPtr> waiting;
  std::promise<void> gone;
  TestServer test([&](api::Request, ResponderPtr responder) {
    responder->on_disconnect([&gone] { gone.set_value(); });
    waiting.put(responder);
  });
  Client client = test.connect();
  client.send(kGet);
  ResponderPtr responder = waiting.get();
  test.server.stop(20);
  EXPECT_TRUE(arrives(gone.get_future()));
  EXPECT_TRUE(client.at_end());
  responder->start_stream(text(""));  // dropped
  responder->write("late");
  responder->end_stream();
}

TEST(HttpServerPost, RunsWorkInItsOrderOnTheServerThread) {
  FunctionHandler handler(echo);
  HttpServer server({}, handler);
  std::vector<int> order;
  std::thread::id worker;
  std::promise<void> done;
  for (int i = 0; i < 3; ++i) server.post([&order, i] { order.push_back(i); });
  EXPECT_TRUE(order.empty());
  ASSERT_TRUE(server.start());
  server.post([&] {
    worker = std::this_thread::get_id();
    done.set_value();
  });
  ASSERT_TRUE(arrives(done.get_future()));
  EXPECT_EQ(order, (std::vector{0, 1, 2}));
  EXPECT_NE(worker, std::this_thread::get_id());
  server.stop(0);
  server.post([] { FAIL() << "the server has ended"; });
}

#ifdef PERDURE_TEST_HOOKS
TEST(HttpServerCrashDeathTest, CanEndBeforeAnAnswerIsWritten) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        setenv("PERDURE_CRASH_AT", "http.before_response:2", 1);
        TestServer test;
        Client client = test.connect();
        client.send(kGet);
        if (client.read_answer().status != 200) _exit(3);
        client.send(kGet);
        client.read_answer();
      },
      testing::KilledBySignal(SIGKILL), "");
}
#endif

}  // namespace
}  // namespace perdure::http
