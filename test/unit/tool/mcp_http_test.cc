// Streamable HTTP: which requests are made, in which order, and what their answers mean.
#include "tool/mcp_http.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <deque>

#include "mcp_world.h"

namespace perdure {
namespace {

using test::call_of;
using ::testing::HasSubstr;

class Web final : public HttpClient {
 public:
  struct Exchange {
    HttpRequest request;
    HttpCallbacks callbacks;
    bool done = false;
    bool cancelled = false;
  };

  CallId send(HttpRequest request, HttpCallbacks callbacks) override {
    exchanges.push_back({std::move(request), std::move(callbacks), false, false});
    const size_t at = exchanges.size() - 1;
    if (at_once != 0) status(at, at_once);
    return at + 1;
  }
  void cancel(CallId call) override { exchanges.at(call - 1).cancelled = true; }

  // The next request that was not looked at yet.
  size_t next() {
    if (seen_ >= exchanges.size()) return SIZE_MAX;
    return seen_++;
  }
  bool is_quiet() const { return seen_ == exchanges.size(); }
  HttpRequest& request(size_t at) { return exchanges.at(at).request; }
  json::value body(size_t at) { return parse_json(request(at).body, "body").value(); }
  std::string header(size_t at, std::string_view name) {
    for (const auto& [key, value] : request(at).headers) {
      if (key == name) return value;
    }
    return "";
  }

  void head(size_t at, int status, HttpHeaders headers) {
    if (exchanges.at(at).callbacks.on_head) exchanges.at(at).callbacks.on_head(status, headers);
  }
  void body(size_t at, std::string_view bytes, int status = 200) {
    exchanges.at(at).callbacks.on_body(status, bytes);
  }
  void end(size_t at, HttpResult::End how, int status = 0, HttpHeaders headers = {}) {
    Exchange& exchange = exchanges.at(at);
    if (std::exchange(exchange.done, true)) return;
    HttpResult result;
    result.end = how;
    result.status = status;
    result.headers = std::move(headers);
    exchange.callbacks.on_done(std::move(result));
  }
  void json(size_t at, std::string_view text, HttpHeaders more = {}) {
    more.emplace_back("content-type", "application/json");
    head(at, 200, more);
    body(at, text);
    end(at, HttpResult::End::kComplete, 200);
  }
  void events(size_t at) { head(at, 200, {{"content-type", "text/event-stream; charset=utf-8"}}); }
  void status(size_t at, int code, const HttpHeaders& headers = {}) {
    head(at, code, headers);
    end(at, HttpResult::End::kComplete, code, headers);
  }

  std::deque<Exchange> exchanges;
  int at_once = 0;  // everything is answered with this status, before `send` returns

 private:
  size_t seen_ = 0;
};

struct World {
  World() {
    config.name = "shop";
    config.url = "https://shop.example/mcp";
    config.headers = {{"Authorization", "Bearer {{secret:shop}}"}};
    EXPECT_TRUE(secrets.add("shop", "a secret word"));
    executor = McpExecutor::make(config, {.http = web,
                                          .processes = runner,
                                          .timers = timers,
                                          .clock = clock,
                                          .pins = pins,
                                          .spawn = [](const auto& work) { work(); },
                                          .secrets = secrets,
                                          .hidden = {},
                                          .version = "1"})
                   .value();
    executor->open();
  }

  // Through the handshake; the server's own stream is then open, at `listening`.
  void greet(bool has_session = true) {
    const std::string session = has_session ? "abc" : "";
    const size_t hello = web.next();
    EXPECT_EQ(web.header(hello, "Authorization"), "Bearer a secret word");
    EXPECT_EQ(web.header(hello, "MCP-Protocol-Version"), "");
    web.json(hello,
             R"({"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18",
                 "capabilities":{"tools":{}}}})",
             has_session ? HttpHeaders{{"mcp-session-id", session}} : HttpHeaders{});
    const size_t ready = web.next();
    EXPECT_EQ(web.body(ready).at("method"), "notifications/initialized");
    EXPECT_EQ(web.header(ready, "MCP-Protocol-Version"), "2025-06-18");
    EXPECT_EQ(web.header(ready, "Mcp-Session-Id"), session);
    EXPECT_TRUE(web.is_quiet()) << "nothing overtakes the end of the handshake";
    web.status(ready, 202);
    const size_t list = web.next();
    EXPECT_EQ(web.body(list).at("method"), "tools/list");
    web.json(list, R"({"jsonrpc":"2.0","id":2,"result":{"tools":[
        {"name":"look","inputSchema":{}},{"name":"pay","inputSchema":{}}]}})");
    listening = web.next();
    EXPECT_EQ(web.request(listening).method, "GET");
  }

  size_t call(const std::string& tool, EffectClass effect = EffectClass::kOnce) {
    executor->start(call_of(tool, effect),
                    [this](SettleStep settled) { settles.push_back(std::move(settled)); });
    return web.next();
  }
  SettleStep settled() {
    EXPECT_EQ(settles.size(), 1U);
    if (settles.empty()) return {};
    SettleStep settle = std::move(settles.front());
    settles.clear();
    return settle;
  }
  std::string answer(size_t at) {
    return R"({"jsonrpc":"2.0","id":)" + to_json(web.body(at).at("id")) +
           R"(,"result":{"content":[]}})";
  }

  McpServerConfig config;
  Secrets secrets;
  test::ManualTimers timers;
  test::TimersClock clock{timers};
  test::MemoryPins pins;
  test::FakeRunner runner;
  Web web;
  std::vector<SettleStep> settles;
  std::unique_ptr<McpExecutor> executor;
  size_t listening = 0;
};

TEST(McpHttpTest, ACallIsAnsweredByJsonOrEvents) {
  World world;
  world.greet();
  const size_t first = world.call("look");
  EXPECT_EQ(world.web.header(first, "Accept"), "application/json, text/event-stream");
  world.web.json(first, world.answer(first));
  EXPECT_EQ(world.settled().outcome, Outcome::kSucceeded);

  const size_t second = world.call("look");
  world.web.events(second);
  world.web.body(second, ": hello\n\ndata: " + world.answer(second).substr(0, 9));
  world.web.body(second, world.answer(second).substr(9) + "\n\n");
  EXPECT_EQ(world.settled().outcome, Outcome::kSucceeded);
  EXPECT_TRUE(world.web.exchanges[second].cancelled) << "nothing more is wanted of it";
}

TEST(McpHttpTest, WhatAStatusMeans) {
  struct Case {
    int status;
    Outcome outcome;
  };
  const Case kCases[] = {
      {400, Outcome::kFailed},  {401, Outcome::kFailed},   {403, Outcome::kFailed},
      {413, Outcome::kFailed},  {429, Outcome::kDeferred}, {500, Outcome::kInDoubt},
      {502, Outcome::kInDoubt}, {302, Outcome::kInDoubt},  {202, Outcome::kInDoubt}};
  World world;
  world.greet();
  for (const Case& each : kCases) {
    world.web.status(world.call("pay"), each.status);
    EXPECT_EQ(world.settled().outcome, each.outcome) << each.status;
    EXPECT_TRUE(world.web.is_quiet()) << "a POST is never repeated";
  }
}

TEST(McpHttpTest, LaterIsWhenItWasSaid) {
  World world;
  world.greet();
  world.timers.now_ms = 784'111'772'000;  // five seconds before
  world.web.status(world.call("pay"), 429, {{"retry-after", "Sun, 06 Nov 1994 08:49:37 GMT"}});
  EXPECT_EQ(world.settled().retry_after_ms, 5000);
  world.web.status(world.call("pay"), 429, {{"retry-after", "7"}});
  EXPECT_EQ(world.settled().retry_after_ms, 7000);
}

TEST(McpHttpTest, HowItEndsWithoutAnAnswer) {
  struct Case {
    HttpResult::End end;
    Outcome outcome;
  };
  const Case kCases[] = {{HttpResult::End::kNotSent, Outcome::kNotSent},
                         {HttpResult::End::kCut, Outcome::kInDoubt},
                         {HttpResult::End::kTimedOut, Outcome::kInDoubt}};
  World world;
  world.greet();
  for (const Case& each : kCases) {
    world.web.end(world.call("pay"), each.end);
    EXPECT_EQ(world.settled().outcome, each.outcome);
    EXPECT_TRUE(world.web.is_quiet());
  }
  // Half an answer, and an answer to another request.
  const size_t half = world.call("pay");
  world.web.json(half, world.answer(half).substr(0, 20));
  EXPECT_EQ(world.settled().outcome, Outcome::kInDoubt);
  world.web.json(world.call("pay"), R"({"jsonrpc":"2.0","id":999,"result":{}})");
  EXPECT_EQ(world.settled().outcome, Outcome::kInDoubt);
}

TEST(McpHttpTest, AStreamIsTakenUpAgainWhereItStopped) {
  World world;
  world.greet();
  const size_t call = world.call("pay");
  world.web.events(call);
  world.web.body(call, "id: e1\nretry: 700\ndata: \n\n");
  world.web.end(call, HttpResult::End::kComplete, 200);
  EXPECT_TRUE(world.settles.empty());
  world.timers.advance(699);
  EXPECT_TRUE(world.web.is_quiet());
  world.timers.advance(1);
  const size_t again = world.web.next();
  EXPECT_EQ(world.web.request(again).method, "GET");
  EXPECT_EQ(world.web.header(again, "Last-Event-ID"), "e1");
  EXPECT_EQ(world.web.header(again, "Mcp-Session-Id"), "abc");
  world.web.events(again);
  world.web.body(again, "id: e2\ndata: " + world.answer(call) + "\n\n");
  EXPECT_EQ(world.settled().outcome, Outcome::kSucceeded);
}

TEST(McpHttpTest, AStreamThatLeadsNowhereIsDoubt) {
  World world;
  world.greet();
  const size_t call = world.call("pay");
  world.web.events(call);
  world.web.body(call, "id: e1\nretry: 0\ndata: \n\n");
  world.web.end(call, HttpResult::End::kCut, 200);
  int resumes = 0;
  for (; world.settles.empty() && resumes < 100; ++resumes) {
    world.timers.advance(2000);
    const size_t again = world.web.next();
    ASSERT_NE(again, SIZE_MAX);
    world.web.end(again, HttpResult::End::kNotSent);
  }
  EXPECT_EQ(resumes, 5);
  EXPECT_EQ(world.settled().outcome, Outcome::kInDoubt) << "the request itself was sent";
}

TEST(McpHttpTest, ASessionThatIsOverIsBegunAgain) {
  World world;
  world.greet();
  world.web.status(world.call("pay"), 404);
  EXPECT_EQ(world.settled().outcome, Outcome::kDeferred) << "it was not done";
  EXPECT_FALSE(world.executor->entry().connected);
  world.timers.advance(500);
  const size_t hello = world.web.next();
  EXPECT_EQ(world.web.body(hello).at("method"), "initialize");
  EXPECT_EQ(world.web.header(hello, "Mcp-Session-Id"), "");
}

TEST(McpHttpTest, TheServersOwnStream) {
  World world;
  world.greet();
  world.web.events(world.listening);
  world.timers.advance(5000);
  world.web.body(world.listening,
                 "id: s1\ndata: {\"jsonrpc\":\"2.0\",\"method\":"
                 "\"notifications/tools/list_changed\"}\n\n");
  EXPECT_EQ(world.web.body(world.web.next()).at("method"), "tools/list");
  world.web.end(world.listening, HttpResult::End::kCut, 200);
  world.timers.advance(1000);
  const size_t again = world.web.next();
  EXPECT_EQ(world.web.header(again, "Last-Event-ID"), "s1");
  world.web.status(again, 405);
  world.timers.advance(600'000);
  EXPECT_TRUE(world.web.is_quiet()) << "a server that has none is not asked again";
}

constexpr std::string_view kAsks =
    "data: {\"jsonrpc\":\"2.0\",\"id\":\"q\",\"method\":\"elicitation/create\",\"params\":{"
    "\"message\":\"Size?\",\"requestedSchema\":{\"properties\":{}}}}\n\n";

// On the stream that all calls of a session share, it is the question of the only one that is open;
// where there are no sessions, of nobody that we know.
TEST(McpHttpTest, AQuestionOnTheServersOwnStream) {
  for (const bool has_session : {true, false}) {
    World world;
    world.greet(has_session);
    int asked = 0;
    CallRequest request = call_of("pay");
    request.ask = [&](const std::string&, const Payload&, const auto&) { ++asked; };
    world.executor->start(std::move(request), [](const SettleStep&) {});
    const size_t call = world.web.next();
    world.web.events(world.listening);
    world.web.body(world.listening, kAsks);
    EXPECT_EQ(asked, has_session ? 1 : 0);
    if (has_session) continue;
    EXPECT_TRUE(world.web.body(world.web.next()).as_object().contains("error"));
    world.web.events(call);
    world.web.body(call, kAsks);
    EXPECT_EQ(asked, 1) << "this stream is the call's own";
  }
}

// The call's own time stands still while a person is asked, and no other may run out meanwhile.
TEST(McpHttpTest, APersonHasAllTheTime) {
  constexpr int64_t kYearMs = 365LL * 86'400'000;
  World world;
  world.greet();
  CallRequest request = call_of("pay");
  request.ask = [](const std::string&, const Payload&, const auto& asked) { asked(9); };
  world.executor->start(std::move(request),
                        [&](SettleStep settled) { world.settles.push_back(std::move(settled)); });
  const size_t call = world.web.next();
  world.web.events(call);
  world.web.body(call, kAsks);
  for (const int64_t limit_ms :
       {world.web.request(call).timeouts.total_ms, world.web.request(call).timeouts.first_byte_ms,
        world.web.request(call).timeouts.gap_ms}) {
    EXPECT_GT(limit_ms, kYearMs);
  }
  world.timers.advance(kYearMs);
  EXPECT_TRUE(world.settles.empty());
  world.executor->answer({}, "pay", 9, Decision::kRespond, Payload::of("{}"));
  world.timers.advance(world.config.call_ms);
  EXPECT_EQ(world.settled().outcome, Outcome::kInDoubt) << "the time runs again";
}

TEST(McpHttpTest, ASecretStaysOutOfWhatIsTold) {
  World world;
  world.greet();
  const size_t call = world.call("pay");
  world.web.head(call, 500, {});
  world.web.body(call, "no such user: a secret word", 500);
  world.web.end(call, HttpResult::End::kComplete, 500);
  const SettleStep settled = world.settled();
  EXPECT_THAT(settled.detail, HasSubstr("{{secret:shop}}"));
  EXPECT_EQ(settled.detail.find("a secret word"), std::string::npos);
  // Where a part of it is told, the end of the part may be the middle of a secret.
  for (size_t before = 280; before < 300; ++before) {
    const size_t next = world.call("pay");
    world.web.head(next, 500, {});
    world.web.body(next, std::string(before, 'x') + "a secret word", 500);
    world.web.end(next, HttpResult::End::kComplete, 500);
    EXPECT_EQ(world.settled().detail.find("a secr"), std::string::npos) << before;
  }
}

TEST(McpHttpTest, AServerThatRefusesTheHandshakeIsAway) {
  World world;
  world.web.status(world.web.next(), 401);
  EXPECT_FALSE(world.executor->entry().connected);
  EXPECT_THAT(world.executor->entry().why, HasSubstr("HTTP 401"));
}

TEST(McpHttpTest, AtTheEndTheSessionIsGivenBack) {
  World world;
  world.greet();
  world.web.at_once = 200;
  world.executor->close();
  const size_t goodbye = world.web.next();
  EXPECT_EQ(world.web.request(goodbye).method, "DELETE");
  EXPECT_EQ(world.web.header(goodbye, "Mcp-Session-Id"), "abc");
  EXPECT_TRUE(world.web.is_quiet());
}

}  // namespace
}  // namespace perdure
