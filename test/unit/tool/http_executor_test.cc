#include "tool/http_executor.h"

#include <gtest/gtest.h>

#include <optional>

#include "fakes/set_clock.h"

namespace perdure {
namespace {

// Keeps what was sent, and ends it when told to.
class FakeClient final : public HttpClient {
 public:
  CallId send(HttpRequest request, HttpCallbacks callbacks) override {
    requests.push_back(std::move(request));
    dones.push_back(std::move(callbacks.on_done));
    if (at_once) dones.back()(*at_once);
    return requests.size();
  }
  void cancel(CallId call) override { cancelled.push_back(call); }

  std::vector<HttpRequest> requests;
  std::vector<std::function<void(HttpResult)>> dones;
  std::vector<CallId> cancelled;
  std::optional<HttpResult> at_once;
};

HttpResult ok(std::string body) {
  HttpResult result;
  result.end = HttpResult::End::kComplete;
  result.status = 200;
  result.body = std::move(body);
  return result;
}

class HttpExecutor : public testing::Test {
 protected:
  HttpExecutor() {
    HttpToolConfig pay;
    pay.name = "pay";
    pay.url = "https://pay.example/{order}";
    pay.headers = {{"Authorization", "Bearer {{secret:key}}"}};
    HttpToolConfig broken = pay;
    broken.name = "broken";
    broken.headers = {{"Authorization", "{{secret:none}}"}};
    Secrets secrets;
    EXPECT_TRUE(secrets.add("key", "open-sesame"));
    executor_.emplace(client_, clock_, secrets, std::vector{pay, broken});
  }

  void start(std::string tool, std::string args, EffectClass effect = EffectClass::kOnce) {
    CallRequest request;
    request.task = task_;
    request.send.step = "s1";
    request.send.attempt = 2;
    request.send.name = std::move(tool);
    request.send.effect = effect;
    request.send.args = Payload::of(std::move(args));
    request.key = "k";
    executor_->start(request, [this](SettleStep step) { steps_.push_back(std::move(step)); });
  }

  const TaskId task_ = TaskId::make(1, 2, 3);
  FakeClient client_;
  test::SetClock clock_;
  std::optional<HttpToolExecutor> executor_;
  std::vector<SettleStep> steps_;
};

TEST_F(HttpExecutor, OneCallIsOneRequestAndOneOutcome) {
  start("pay", R"({"order":"42"})");
  ASSERT_EQ(client_.requests.size(), 1u);
  EXPECT_EQ(client_.requests[0].url, "https://pay.example/42");
  EXPECT_TRUE(steps_.empty());
  client_.dones[0](ok("paid with open-sesame"));
  ASSERT_EQ(steps_.size(), 1u);
  EXPECT_EQ(steps_[0].step, "s1");
  EXPECT_EQ(steps_[0].attempt, 2u);
  EXPECT_EQ(steps_[0].outcome, Outcome::kSucceeded);
  EXPECT_EQ(steps_[0].result.view(), "paid with {{secret:key}}");
  EXPECT_EQ(client_.requests.size(), 1u);
}

TEST_F(HttpExecutor, DoubtIsNotSentAgain) {
  start("pay", R"({"order":"42"})", EffectClass::kIdempotent);
  HttpResult cut;
  cut.end = HttpResult::End::kCut;
  client_.dones[0](cut);
  EXPECT_EQ(steps_.at(0).outcome, Outcome::kInDoubt);
  EXPECT_EQ(client_.requests.size(), 1u);
}

TEST_F(HttpExecutor, WhatCannotBeSentIsNotSent) {
  start("pay", R"({"order":""})");
  start("pay", "nonsense open-sesame");
  start("broken", R"({"order":"42"})");
  start("nobody", "{}");
  ASSERT_EQ(steps_.size(), 4u);
  EXPECT_EQ(steps_[0].outcome, Outcome::kFailed);
  EXPECT_EQ(steps_[0].failure, FailureClass::kInvalid);
  EXPECT_EQ(steps_[1].outcome, Outcome::kFailed);
  EXPECT_EQ(steps_[2].outcome, Outcome::kNotSent);
  EXPECT_EQ(steps_[2].failure, FailureClass::kAuth);
  EXPECT_EQ(steps_[3].outcome, Outcome::kNotSent);
  for (const SettleStep& step : steps_) {
    EXPECT_FALSE(step.detail.empty());
    EXPECT_EQ(step.detail.find("sesame"), std::string::npos);
  }
  EXPECT_TRUE(client_.requests.empty());
}

TEST_F(HttpExecutor, ArgumentsThatWereNotReadAreNotSent) {
  CallRequest request;
  request.send.name = "pay";
  request.send.args = Payload::blob(sha256("x"), 1);
  executor_->start(request, [this](SettleStep step) { steps_.push_back(std::move(step)); });
  EXPECT_EQ(steps_.at(0).outcome, Outcome::kNotSent);
  EXPECT_TRUE(client_.requests.empty());
}

TEST_F(HttpExecutor, AbortStopsReadsOnly) {
  executor_->abort(task_, "s1");  // nothing is open
  start("pay", R"({"order":"1"})", EffectClass::kOnce);
  executor_->abort(task_, "s1");
  EXPECT_TRUE(client_.cancelled.empty());
  client_.dones[0](ok(""));

  start("pay", R"({"order":"2"})", EffectClass::kRead);
  executor_->abort(task_, "other");
  executor_->abort(task_, "s1");
  EXPECT_EQ(client_.cancelled, std::vector<HttpClient::CallId>{2});
  client_.dones[1](ok(""));
  executor_->abort(task_, "s1");  // has ended
  EXPECT_EQ(client_.cancelled.size(), 1u);
}

TEST_F(HttpExecutor, AnAnswerMayComeBeforeStartReturns) {
  client_.at_once = ok("now");
  start("pay", R"({"order":"1"})", EffectClass::kRead);
  EXPECT_EQ(steps_.size(), 1u);
  executor_->abort(task_, "s1");
  EXPECT_TRUE(client_.cancelled.empty());
}

TEST_F(HttpExecutor, MayGoWhileCallsAreOpen) {
  start("pay", R"({"order":"1"})");
  executor_.reset();
  client_.dones[0](ok("late"));
  EXPECT_EQ(steps_.at(0).result.view(), "late");
}

}  // namespace
}  // namespace perdure
