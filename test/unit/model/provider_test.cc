#include "model/provider.h"

#include <gtest/gtest.h>

#include <cstdio>
#include <filesystem>
#include <fstream>

#include "fakes/set_clock.h"
#include "journal/message_json.h"
#include "model/openai_chat_request.h"
#include "model/recording.h"
#include "model/replay_provider.h"

namespace perdure {
namespace {

// Answers at once, from a list.
class ScriptedHttp final : public HttpClient {
 public:
  CallId send(HttpRequest request, HttpCallbacks callbacks) override {
    requests.push_back(request);
    const RecordedExchange& answer = answers.at(requests.size() - 1);
    HttpResult result = answer.result;
    for (const std::string& chunk : answer.chunks) {
      if (callbacks.on_body) callbacks.on_body(result.status, chunk);
    }
    callbacks.on_done(std::move(result));
    return requests.size();
  }
  void cancel(CallId call) override { cancelled.push_back(call); }

  std::vector<RecordedExchange> answers;
  std::vector<HttpRequest> requests;
  std::vector<CallId> cancelled;
};

RecordedExchange answer(int status, std::vector<std::string> chunks,
                        std::vector<std::pair<std::string, std::string>> headers = {},
                        HttpResult::End end = HttpResult::End::kComplete) {
  RecordedExchange out;
  out.result.status = status;
  out.result.headers = std::move(headers);
  out.result.end = end;
  out.chunks = std::move(chunks);
  return out;
}

const std::string kGood =
    "data: {\"id\":\"r\",\"choices\":[{\"index\":0,\"delta\":{\"content\":\"gr\xC3\xBC\xC3\x9F\"},"
    "\"finish_reason\":\"stop\"}],\"usage\":{\"prompt_tokens\":1000,\"completion_tokens\":10,"
    "\"total_tokens\":1010}}\n\ndata: [DONE]\n\n";

struct World {
  ScriptedHttp http;
  test::SetClock clock;
  ModelConfig config;
  std::string secret = "sk-very-secret";

  World() {
    config.name = "main";
    config.base_url = "https://api.example/v1";
    config.model = "m";
    config.key = "env:KEY";
    config.price = {.input_per_mtok = 1'000'000, .output_per_mtok = 4'000'000};
  }
  std::unique_ptr<Provider> provider() {
    auto made = make_provider(config, http, clock, [this](const std::string& reference) {
      EXPECT_EQ(reference, "env:KEY");
      return Result<std::string>(secret);
    });
    EXPECT_TRUE(made) << made.error().message;
    return std::move(*made);
  }
};

ProviderCall ask(std::string text) {
  ProviderCall out;
  out.request.messages.emplace_back().text = std::move(text);
  return out;
}

ProviderResult run(Provider& provider, ProviderCall call, std::string* deltas = nullptr) {
  std::vector<ProviderResult> results;
  provider.call(std::move(call),
                {[&](std::string_view text) {
                   if (deltas) *deltas += text;
                 },
                 {},
                 [&](ProviderResult result) { results.push_back(std::move(result)); }});
  EXPECT_EQ(results.size(), 1u);
  return results.at(0);
}

TEST(HttpProvider, SendsAndAnswers) {
  World world;
  world.http.answers = {answer(200, {kGood.substr(0, 70), kGood.substr(70)})};
  const auto provider = world.provider();
  std::string deltas;
  ProviderCall call = ask("hi");
  call.not_after_ms = 77;
  const ProviderResult result = run(*provider, call, &deltas);
  EXPECT_EQ(result.outcome, Outcome::kSucceeded) << result.detail;
  EXPECT_EQ(deltas, "gr\xC3\xBC\xC3\x9F");
  EXPECT_EQ(answer_from_json(result.answer)->text, deltas);
  ASSERT_TRUE(result.used);
  EXPECT_EQ(result.used->cost_micro_usd, 1040);
  EXPECT_EQ(result.used->model_calls, 1);
  ASSERT_EQ(world.http.requests.size(), 1u);
  const HttpRequest& sent = world.http.requests[0];
  EXPECT_EQ(sent.url, "https://api.example/v1/chat/completions");
  EXPECT_EQ(sent.body, encode_openai_chat(call.request, world.config));
  EXPECT_EQ(sent.not_after_ms, 77);
  const std::vector<std::pair<std::string, std::string>> headers = {
      {"Content-Type", "application/json"},
      {"Accept", "text/event-stream"},
      {"Authorization", "Bearer sk-very-secret"}};
  EXPECT_EQ(sent.headers, headers);
}

TEST(HttpProvider, Outcomes) {
  struct {
    RecordedExchange answer;
    Outcome outcome;
    FailureClass failure;
    std::optional<int64_t> calls_used;
  } const rows[] = {
      {answer(429, {"{}"}, {{"retry-after", "10800"}}), Outcome::kDeferred,
       FailureClass::kRateLimit, 0},
      {answer(400, {"{}"}), Outcome::kFailed, FailureClass::kInvalid, 1},
      // The head alone tells a refusal.
      {answer(429, {R"({"error":{"mess)"}, {}, HttpResult::End::kCut), Outcome::kDeferred,
       FailureClass::kRateLimit, 0},
      {answer(500, {}), Outcome::kInDoubt, FailureClass::kTransient, 0},
      {answer(529, {}), Outcome::kInDoubt, FailureClass::kTransient, 0},
      {answer(504, {}), Outcome::kInDoubt, FailureClass::kAmbiguous, {}},
      {answer(524, {}), Outcome::kInDoubt, FailureClass::kAmbiguous, {}},
      {answer(0, {}, {}, HttpResult::End::kNotSent), Outcome::kNotSent, FailureClass::kTransient,
       0},
      {answer(200, {kGood.substr(0, 30)}, {}, HttpResult::End::kCut),
       Outcome::kInDoubt,
       FailureClass::kAmbiguous,
       {}},
      {answer(200, {"hello"}), Outcome::kInDoubt, FailureClass::kMalformedOutput, {}},
  };
  for (const auto& row : rows) {
    World world;
    world.http.answers = {row.answer};
    const ProviderResult result = run(*world.provider(), ask("hi"));
    EXPECT_EQ(to_string(result.outcome), to_string(row.outcome));
    EXPECT_EQ(to_string(result.failure), to_string(row.failure));
    EXPECT_EQ(result.used.has_value(), row.calls_used.has_value());
    if (result.used) EXPECT_EQ(result.used->model_calls, row.calls_used);
    EXPECT_TRUE(result.answer.empty());
    EXPECT_EQ(world.http.requests.size(), 1u) << "a provider never sends twice";
  }
}

TEST(HttpProvider, ARedirectIsARefusalThatNamesTheWayOut) {
  World world;
  world.http.answers = {answer(302, {}, {{"location", "https://elsewhere"}})};
  const ProviderResult result = run(*world.provider(), ask("hi"));
  EXPECT_EQ(result.outcome, Outcome::kFailed);
  EXPECT_EQ(result.detail, "HTTP 302: redirects are not followed; check base_url");
}

TEST(HttpProvider, ErrorBodiesInTheResult) {
  World world;
  world.http.answers = {answer(429, {})};
  world.http.answers[0].result.body = R"({"error":{"code":"insufficient_quota"}})";
  EXPECT_EQ(run(*world.provider(), ask("hi")).failure, FailureClass::kQuota);
}

TEST(HttpProvider, ToolNamesComeBack) {
  World world;
  world.http.answers = {answer(
      200, {"data: {\"choices\":[{\"delta\":{\"tool_calls\":[{\"id\":\"a\",\"function\":{\"name\":"
            "\"shop__find\",\"arguments\":\"{}\"}}]},\"finish_reason\":\"tool_calls\"}]}\n\n"})};
  ProviderCall call = ask("hi");
  call.request.tools = {{"shop.find", "", ""}};
  const auto got = answer_from_json(run(*world.provider(), call).answer);
  ASSERT_TRUE(got);
  EXPECT_EQ(got->calls.at(0).name, "shop.find");
}

TEST(HttpProvider, KeysStayOutOfDetails) {
  World world;
  world.http.answers = {
      answer(401, {R"({"error":{"message":"Incorrect API key sk-very-secret sk-very-secret"}})"})};
  const ProviderResult result = run(*world.provider(), ask("hi"));
  EXPECT_EQ(result.failure, FailureClass::kAuth);
  EXPECT_EQ(result.detail.find("sk-very"), std::string::npos);
  EXPECT_NE(result.detail.find("Incorrect API key *** ***"), std::string::npos);
}

TEST(HttpProvider, NothingIsSentWithoutItsKey) {
  for (const std::string& bad : {std::string(), std::string("a\r\nX-Evil: 1")}) {
    World world;
    world.secret = bad;
    const ProviderResult result = run(*world.provider(), ask("hi"));
    EXPECT_EQ(result.outcome, Outcome::kFailed);
    EXPECT_EQ(result.failure, FailureClass::kAuth);
    EXPECT_TRUE(world.http.requests.empty());
    EXPECT_EQ(result.detail.find("Evil"), std::string::npos);
  }
}

TEST(HttpProvider, NoKeyNoHeader) {
  World world;
  world.config.key.clear();
  world.http.answers = {answer(200, {kGood})};
  EXPECT_EQ(run(*world.provider(), ask("hi")).outcome, Outcome::kSucceeded);
  EXPECT_EQ(world.http.requests.at(0).headers.size(), 2u);
}

const std::string kAccepted =
    "data: {\"type\":\"response.created\",\"response\":{\"id\":\"resp_1\",\"status\":"
    "\"in_progress\"}}\n\n";

std::string ended(const std::string& status, const std::string& more) {
  return "data: {\"type\":\"response." + status +
         "\",\"response\":{\"id\":\"resp_1\",\"status\":\"" + status + "\"," + more + "}}\n\n";
}

// A call, or with `id` a fetch, in the background.
ProviderResult in_background(World& world, std::string id, RecordedExchange exchange,
                             std::vector<std::string>* noted = nullptr, bool as_it_stands = false) {
  world.config.provider = ModelConfig::Provider::kOpenAiResponses;
  world.config.background = true;
  world.http.answers = {std::move(exchange)};
  ProviderCall call = ask("hi");
  call.provider_id = std::move(id);
  call.as_it_stands = as_it_stands;
  std::vector<ProviderResult> results;
  world.provider()->call(std::move(call),
                         {{},
                          [&](std::string_view name) {
                            if (noted) noted->emplace_back(name);
                          },
                          [&](ProviderResult result) { results.push_back(std::move(result)); }});
  EXPECT_EQ(results.size(), 1u);
  return results.at(0);
}

TEST(Background, TheNameIsToldAndWhatIsCutIsNotCalledAgain) {
  World world;
  std::vector<std::string> noted;
  const ProviderResult cut = in_background(
      world, "",
      answer(200, {kAccepted.substr(0, 20), kAccepted.substr(20)}, {}, HttpResult::End::kCut),
      &noted);
  EXPECT_EQ(noted, std::vector<std::string>{"resp_1"});
  EXPECT_EQ(cut.outcome, Outcome::kDeferred);
  EXPECT_EQ(cut.failure, FailureClass::kContinue);
  World other;
  EXPECT_EQ(in_background(other, "", answer(200, {}, {}, HttpResult::End::kCut)).outcome,
            Outcome::kInDoubt)
      << "nobody knows whether it was taken";
}

TEST(Background, Fetches) {
  const std::string good = ended("completed", "\"output\":[]");
  const std::string limited = ended("failed", "\"error\":{\"code\":\"rate_limit_exceeded\"}");
  const std::string broken = "data: {\"type\":\"error\",\"code\":\"server_error\"}\n\n";
  struct {
    std::string what;
    RecordedExchange exchange;
    Outcome outcome;
    FailureClass failure;
  } const rows[] = {
      {"the answer", answer(200, {kAccepted, good}), Outcome::kSucceeded, FailureClass::kNone},
      {"not ready", answer(200, {R"({"id":"resp_1","status":"queued"})"}), Outcome::kDeferred,
       FailureClass::kContinue},
      {"cut", answer(200, {kAccepted}, {}, HttpResult::End::kCut), Outcome::kDeferred,
       FailureClass::kContinue},
      {"an error of the stream", answer(200, {kAccepted, broken}), Outcome::kDeferred,
       FailureClass::kContinue},
      {"not reached", answer(0, {}, {}, HttpResult::End::kNotSent), Outcome::kNotSent,
       FailureClass::kTransient},
      {"too often", answer(429, {}), Outcome::kDeferred, FailureClass::kRateLimit},
      {"broken", answer(503, {}), Outcome::kDeferred, FailureClass::kContinue},
      {"a wrong key", answer(401, {"{}"}), Outcome::kDeferred, FailureClass::kContinue},
      {"not allowed", answer(403, {"{}"}), Outcome::kDeferred, FailureClass::kContinue},
      {"no money", answer(429, {R"({"error":{"code":"insufficient_quota"}})"}), Outcome::kDeferred,
       FailureClass::kContinue},
      {"a server that wants no retry", answer(500, {}, {{"x-should-retry", "false"}}),
       Outcome::kDeferred, FailureClass::kContinue},
      {"a redirect", answer(302, {}), Outcome::kDeferred, FailureClass::kContinue},
      {"a prompt that failed there",
       answer(200, {kAccepted, ended("failed", "\"error\":{\"code\":\"invalid_prompt\"}")}),
       Outcome::kFailed, FailureClass::kInvalid},
      {"gone", answer(404, {"{}"}), Outcome::kInDoubt, FailureClass::kAmbiguous},
      {"failed there", answer(200, {kAccepted, limited}), Outcome::kInDoubt,
       FailureClass::kRateLimit},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    World world;
    const ProviderResult got = in_background(world, "resp_1", row.exchange);
    EXPECT_EQ(to_string(got.outcome), to_string(row.outcome));
    EXPECT_EQ(to_string(got.failure), to_string(row.failure));
    if (got.outcome != Outcome::kSucceeded) EXPECT_FALSE(got.used) << "the first call may cost";
    const HttpRequest& sent = world.http.requests.at(0);
    EXPECT_EQ(sent.method, "GET");
    EXPECT_EQ(sent.url, "https://api.example/v1/responses/resp_1?stream=true");
    EXPECT_EQ(sent.body, "");
  }
}

TEST(Background, WhatIsFetchedAsItStandsHolds) {
  const std::string error = "data: {\"type\":\"error\",\"code\":\"server_error\"}\n\n";
  struct {
    std::string what;
    RecordedExchange exchange;
    Outcome outcome;
    FailureClass failure;
  } const rows[] = {
      {"the answer", answer(200, {R"({"id":"resp_1","status":"completed","output":[]})"}),
       Outcome::kSucceeded, FailureClass::kNone},
      {"at work", answer(200, {R"({"id":"resp_1","status":"in_progress"})"}), Outcome::kDeferred,
       FailureClass::kContinue},
      {"failed there",
       answer(200, {R"({"id":"resp_1","status":"failed","error":{"code":"server_error"}})"}),
       Outcome::kInDoubt, FailureClass::kAmbiguous},
      {"a stream all the same, and its error", answer(200, {kAccepted, error}), Outcome::kInDoubt,
       FailureClass::kAmbiguous},
      {"a wrong key", answer(401, {"{}"}), Outcome::kDeferred, FailureClass::kContinue},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    World world;
    const ProviderResult got = in_background(world, "resp_1", row.exchange, nullptr, true);
    EXPECT_EQ(to_string(got.outcome), to_string(row.outcome));
    EXPECT_EQ(to_string(got.failure), to_string(row.failure));
    EXPECT_EQ(world.http.requests.at(0).url, "https://api.example/v1/responses/resp_1");
  }
}

TEST(Background, AFetchWaitsForItsKey) {
  World world;
  world.secret = "";
  const ProviderResult got = in_background(world, "resp_1", {});
  EXPECT_EQ(got.outcome, Outcome::kDeferred);
  EXPECT_EQ(got.failure, FailureClass::kContinue);
  EXPECT_FALSE(got.used);
  EXPECT_TRUE(world.http.requests.empty());
}

TEST(Background, ANameThatCannotBeFetchedIsDoubtAndNotSent) {
  World world;
  EXPECT_EQ(in_background(world, "../admin", {}).outcome, Outcome::kInDoubt);
  EXPECT_TRUE(world.http.requests.empty());
}

class RecordingFile : public testing::Test {
 protected:
  void SetUp() override {
    path_ = testing::TempDir() + "/perdure_recording_" +
            testing::UnitTest::GetInstance()->current_test_info()->name() + ".jsonl";
    std::filesystem::remove(path_);
  }
  void TearDown() override { std::filesystem::remove(path_); }

  // Two exchanges: a refusal and an answer whose chunks are cut inside a character.
  void record() {
    World world;
    world.config.record_to = path_;
    const size_t inside = kGood.find('\xBC');
    world.http.answers = {answer(429, {R"({"error":{"message":"key sk-very-secret"}})"},
                                 {{"retry-after", "7"}, {"set-cookie", "crumb"}}),
                          answer(200, {kGood.substr(0, inside), kGood.substr(inside)})};
    const auto provider = world.provider();
    EXPECT_EQ(run(*provider, ask("one")).outcome, Outcome::kDeferred);
    EXPECT_EQ(run(*provider, ask("two")).outcome, Outcome::kSucceeded);
  }

  std::unique_ptr<Provider> replay() {
    replaying_.config.replay = true;
    replaying_.config.recording = path_;
    return replaying_.provider();
  }

  std::string path_;
  World replaying_;
};

TEST_F(RecordingFile, ReplaysInAnyOrder) {
  record();
  const auto provider = replay();
  std::string deltas;
  const ProviderResult two = run(*provider, ask("two"), &deltas);
  EXPECT_EQ(two.outcome, Outcome::kSucceeded) << two.detail;
  EXPECT_EQ(deltas, "gr\xC3\xBC\xC3\x9F");
  EXPECT_EQ(two.used->cost_micro_usd, 1040);
  const ProviderResult one = run(*provider, ask("one"));
  EXPECT_EQ(one.outcome, Outcome::kDeferred);
  EXPECT_EQ(one.retry_after_ms, 7000);
  EXPECT_TRUE(replaying_.http.requests.empty());
  const ProviderResult again = run(*provider, ask("two"));
  EXPECT_EQ(again.outcome, Outcome::kFailed);
  EXPECT_NE(again.detail.find("all 2 recorded exchanges are used"), std::string::npos);
}

TEST_F(RecordingFile, RefusesAnotherRequest) {
  record();
  const auto provider = replay();
  const ProviderResult other = run(*provider, ask("onf"));
  EXPECT_EQ(other.outcome, Outcome::kFailed);
  EXPECT_EQ(other.failure, FailureClass::kInvalid);
  const std::string begin = R"({"model":"m","messages":[{"role":"user","content":"on)";
  EXPECT_NE(other.detail.find("first difference at byte " + std::to_string(begin.size())),
            std::string::npos)
      << other.detail;
  EXPECT_NE(other.detail.find(R"(\"content\":\"one)"), std::string::npos) << other.detail;
  EXPECT_NE(other.detail.find(R"(\"content\":\"onf)"), std::string::npos) << other.detail;
  // The refusal used nothing up.
  EXPECT_EQ(run(*provider, ask("one")).outcome, Outcome::kDeferred);
}

TEST_F(RecordingFile, HoldsNoSecret) {
  record();
  std::ifstream file(path_);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  EXPECT_NE(text.find("request_sha256"), std::string::npos);
  EXPECT_EQ(text.find("sk-very"), std::string::npos);
  EXPECT_EQ(text.find("crumb"), std::string::npos);
}

TEST_F(RecordingFile, DamageIsNamed) {
  record();
  std::ofstream(path_, std::ios::app) << "{\"request_sha256\":\"00\",\"request\":\"x\"}\n";
  const auto loaded = load_recording(path_);
  ASSERT_FALSE(loaded);
  EXPECT_NE(loaded.error().message.find("line 3"), std::string::npos);
  EXPECT_FALSE(load_recording(path_ + ".absent"));
}

TEST_F(RecordingFile, AChangedRequestIsSeen) {
  RecordedExchange exchange = answer(200, {kGood});
  exchange.request = "abc";
  std::string line = exchange_to_json_line(exchange);
  ASSERT_TRUE(exchange_from_json_line(line));
  line.replace(line.find("\"abc\""), 5, "\"abd\"");
  EXPECT_FALSE(exchange_from_json_line(line));
}

TEST(Replay, DescribesDifferences) {
  EXPECT_EQ(describe_difference("abc", "abd"),
            R"(first difference at byte 2: recorded "abc", now "abd")");
  EXPECT_EQ(describe_difference("abc", "abcd"),
            R"(first difference at byte 3: recorded "abc", now "abcd")");
}

}  // namespace
}  // namespace perdure
