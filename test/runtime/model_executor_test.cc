// Model calls that are aborted at any moment of their lives.
#include "runtime/model_executor.h"

#include <gtest/gtest.h>

#include <deque>

#include "adapters/memory/memory_store.h"
#include "no_blobs.h"

namespace perdure::runtime {
namespace {

// Calls stay open until they are cancelled.
class OpenProvider : public Provider {
 public:
  CallId call(ProviderCall, ProviderCallbacks callbacks) override {
    if (during_call) during_call();
    open.push_back(std::move(callbacks));
    return open.size();
  }
  void cancel(CallId call) override {
    ProviderResult result;
    result.detail = "cancelled";
    open.at(call - 1).on_done(result);
  }

  std::vector<ProviderCallbacks> open;
  std::function<void()> during_call;
};

class SetClock final : public Clock {
 public:
  int64_t unix_ms() override { return now_ms; }
  int64_t monotonic_us() override { return 0; }

  int64_t now_ms = 1'000'000;
};

class ModelExecutorTest : public testing::Test {
 protected:
  ModelExecutorTest() {
    auto made = std::make_unique<OpenProvider>();
    provider_ = made.get();
    providers_["m"] = std::move(made);
  }

  void start() {
    CallRequest request;
    request.task = task_;
    request.send.step = "s";
    request.send.name = "m";
    request.send.args = Payload::of(R"({"messages":[{"role":"user","content":"hello"}]})");
    executor_.start(std::move(request), [this](SettleStep settle) { ended_.push_back(settle); });
  }
  void work() {
    while (!work_.empty()) {
      const auto next = std::move(work_.front());
      work_.pop_front();
      next();
    }
  }

  const TaskId task_ = TaskId::make(1, 2, 3);
  std::vector<SettleStep> ended_;
  std::deque<std::function<void()>> work_;
  MemoryStore store_{std::string(32, 's')};
  test::NoBlobs blobs_;
  AgentVersions versions_{blobs_};
  Transcripts transcripts_{store_, blobs_, 10, 1 << 20};
  Providers providers_;
  OpenProvider* provider_ = nullptr;
  SetClock clock_;
  RateBuckets buckets_{clock_};
  const BucketNames bucket_names_;
  ModelExecutor executor_{providers_,
                          bucket_names_,
                          buckets_,
                          versions_,
                          transcripts_,
                          Masker(),
                          [this](std::function<void()> next) { work_.push_back(std::move(next)); },
                          {}};
};

TEST_F(ModelExecutorTest, AnAbortBeforeTheRequestIsRenderedSendsNothing) {
  start();
  executor_.abort(task_, "s");
  work();
  ASSERT_EQ(ended_.size(), 1u);
  EXPECT_EQ(ended_[0].outcome, Outcome::kNotSent);
  EXPECT_TRUE(provider_->open.empty());
}

TEST_F(ModelExecutorTest, AnAbortWhileTheCallBeginsCancelsIt) {
  provider_->during_call = [this] { executor_.abort(task_, "s"); };
  start();
  work();
  ASSERT_EQ(ended_.size(), 1u);
  EXPECT_EQ(ended_[0].outcome, Outcome::kInDoubt);
}

TEST_F(ModelExecutorTest, AnAbortLaterCancelsTheCallAndOneAfterItsEndNothing) {
  start();
  work();
  EXPECT_TRUE(ended_.empty());
  executor_.abort(task_, "s");
  executor_.abort(task_, "s");
  EXPECT_EQ(ended_.size(), 1u);
}

TEST_F(ModelExecutorTest, SiblingsWaitAsLongAsOneOfThemWasTold) {
  start();
  work();
  ProviderResult limited;
  limited.outcome = Outcome::kDeferred;
  limited.failure = FailureClass::kRateLimit;
  limited.retry_after_ms = 90'000;
  provider_->open.at(0).on_done(limited);
  clock_.now_ms += 30'000;
  start();
  work();
  ASSERT_EQ(ended_.size(), 2u);
  EXPECT_EQ(provider_->open.size(), 1u) << "nothing was sent";
  EXPECT_EQ(ended_[1].outcome, Outcome::kNotSent);
  EXPECT_EQ(ended_[1].failure, FailureClass::kRateLimit);
  EXPECT_EQ(ended_[1].retry_after_ms, 60'000);
  clock_.now_ms += 60'000;
  start();
  work();
  EXPECT_EQ(provider_->open.size(), 2u);
}

TEST(RateBuckets, MoneyRatesAndAnswers) {
  SetClock clock;
  RateBuckets buckets(clock);
  ProviderResult result;
  result.failure = FailureClass::kQuota;
  result.outcome = Outcome::kFailed;
  buckets.note("a", result);
  EXPECT_FALSE(buckets.held_back("b")) << "another credential";
  EXPECT_EQ(buckets.held_back("a")->failure, FailureClass::kQuota);
  EXPECT_EQ(buckets.held_back("a")->outcome, Outcome::kFailed);
  EXPECT_EQ(buckets.held_back("a")->retry_after_ms, RateBuckets::kQuotaRecheckMs);
  result = {};
  result.outcome = Outcome::kSucceeded;
  buckets.note("a", result);
  EXPECT_FALSE(buckets.held_back("a"));
  for (const FailureClass other : {FailureClass::kAuth, FailureClass::kInvalid,
                                   FailureClass::kTransient, FailureClass::kAmbiguous}) {
    result.outcome = Outcome::kFailed;
    result.failure = other;
    buckets.note("a", result);
    EXPECT_FALSE(buckets.held_back("a")) << to_string(other);
  }
}

}  // namespace
}  // namespace perdure::runtime
