// Model calls that are aborted at any moment of their lives.
#include "runtime/model_executor.h"

#include <gtest/gtest.h>

#include <deque>

#include "adapters/memory/memory_store.h"
#include "fakes/no_blobs.h"
#include "fakes/set_clock.h"

namespace perdure::runtime {
namespace {

// Calls stay open until they are cancelled.
class OpenProvider : public Provider {
 public:
  CallId call(ProviderCall call, ProviderCallbacks callbacks) override {
    if (during_call) during_call();
    as_it_stands.push_back(call.as_it_stands);
    open.push_back(std::move(callbacks));
    return open.size();
  }
  void cancel(CallId call) override {
    ProviderResult result;
    result.detail = "cancelled";
    open.at(call - 1).on_done(result);
  }

  std::vector<ProviderCallbacks> open;
  std::vector<bool> as_it_stands;
  std::function<void()> during_call;
};

class ModelExecutorTest : public testing::Test {
 protected:
  ModelExecutorTest() {
    auto made = std::make_unique<OpenProvider>();
    provider_ = made.get();
    providers_["m"] = std::move(made);
  }

  void start(std::string provider_id = "", uint32_t attempt = 1, std::string model = "m",
             int64_t mended_ms = 0) {
    CallRequest request;
    request.send.provider_id = std::move(provider_id);
    request.send.attempt = attempt;
    request.send.mended_ms = mended_ms;
    request.task = task_;
    request.send.step = "s";
    request.send.name = std::move(model);
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
  Transcripts transcripts_{store_, blobs_, nullptr, 10, 1 << 20};
  Providers providers_;
  OpenProvider* provider_ = nullptr;
  test::SetClock clock_;
  RateBuckets buckets_{clock_, nullptr};
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
  clock_.steady_ms += 30'000;
  start();
  work();
  ASSERT_EQ(ended_.size(), 2u);
  EXPECT_EQ(provider_->open.size(), 1u) << "nothing was sent";
  EXPECT_EQ(ended_[1].outcome, Outcome::kNotSent);
  EXPECT_EQ(ended_[1].failure, FailureClass::kRateLimit);
  EXPECT_GE(ended_[1].retry_after_ms, 60'000);
  EXPECT_LE(ended_[1].retry_after_ms, 61'000);
  clock_.steady_ms += 61'000;
  start();
  work();
  EXPECT_EQ(provider_->open.size(), 2u);
}

TEST_F(ModelExecutorTest, AFetchIsNotHeldBack) {
  ProviderResult broke;
  broke.outcome = Outcome::kFailed;
  broke.failure = FailureClass::kQuota;
  buckets_.note("m", broke, buckets_.now_ms());
  start("resp_1");
  work();
  EXPECT_EQ(provider_->open.size(), 1u) << "its answer is paid for";
  start();
  work();
  EXPECT_EQ(provider_->open.size(), 1u);
  EXPECT_EQ(ended_.at(0).outcome, Outcome::kFailed);
}

TEST_F(ModelExecutorTest, WhoHasPaidIsNotHeldBack) {
  ProviderResult broke;
  broke.outcome = Outcome::kFailed;
  broke.failure = FailureClass::kQuota;
  buckets_.note("m", broke, buckets_.now_ms());
  start();
  work();
  EXPECT_EQ(provider_->open.size(), 0u);
  start("", 1, "m", clock_.unix_ms());
  work();
  EXPECT_EQ(provider_->open.size(), 1u);
}

TEST_F(ModelExecutorTest, EveryThirdFetchAsksForTheAnswerAsItStands) {
  for (uint32_t attempt = 1; attempt <= 6; ++attempt) start("resp_1", attempt);
  start("", 3);
  work();
  EXPECT_EQ(provider_->as_it_stands,
            (std::vector<bool>{false, false, true, false, false, true, false}));
}

TEST_F(ModelExecutorTest, AFetchThatCannotBeMadeStillCosts) {
  start("resp_1", 2, "a model that was removed");
  start("", 1, "a model that was removed");
  work();
  ASSERT_EQ(ended_.size(), 2u);
  EXPECT_EQ(ended_[0].outcome, Outcome::kFailed);
  EXPECT_FALSE(ended_[0].used) << "the call was taken, and may be billed";
  EXPECT_TRUE(ended_[1].used);
}

ProviderResult told(FailureClass failure, int64_t retry_after_ms = 0) {
  ProviderResult result;
  result.outcome = failure == FailureClass::kNone ? Outcome::kSucceeded : Outcome::kFailed;
  result.failure = failure;
  result.retry_after_ms = retry_after_ms;
  return result;
}

// Buckets without timers: a call goes out, or is told when to come again.
struct Buckets {
  std::optional<ProviderResult> ask(const std::string& bucket = "a", int64_t mended_ms = 0) {
    std::optional<ProviderResult> held;
    int calls = 0;
    all.ask(bucket, {"t",
                     {TaskId(), "s"},
                     mended_ms,
                     [&] { ++calls; },
                     [&](ProviderResult result) { ++calls, held = std::move(result); }});
    EXPECT_EQ(calls, 1);
    return held;
  }
  void note(const ProviderResult& result) { all.note("a", result, all.now_ms()); }

  test::SetClock clock;
  RateBuckets all{clock, nullptr};
};

TEST(RateBuckets, WhatClosesThemAndForHowLong) {
  struct {
    std::string what;
    ProviderResult first, then;
    FailureClass held_by;
    int64_t wait_ms;
  } const rows[] = {
      {"a limit with a time", told(FailureClass::kRateLimit, 90'000), told(FailureClass::kNone),
       FailureClass::kRateLimit, 90'000},
      {"a limit without one", told(FailureClass::kRateLimit), told(FailureClass::kTransient),
       FailureClass::kRateLimit, RateBuckets::kRateLimitMs},
      {"money", told(FailureClass::kQuota), told(FailureClass::kNone), FailureClass::kQuota,
       RateBuckets::kQuotaRecheckMs},
      {"money is looked at again soon", told(FailureClass::kQuota, 86'400'000),
       told(FailureClass::kNone), FailureClass::kQuota, RateBuckets::kQuotaRecheckMs},
      {"the longer one", told(FailureClass::kRateLimit, 90'000),
       told(FailureClass::kRateLimit, 1'000), FailureClass::kRateLimit, 90'000},
  };
  for (const auto& row : rows) {
    SCOPED_TRACE(row.what);
    Buckets buckets;
    buckets.note(row.first);
    buckets.note(row.then);
    EXPECT_FALSE(buckets.ask("b")) << "another credential";
    const auto held = buckets.ask();
    ASSERT_TRUE(held);
    EXPECT_EQ(to_string(held->failure), to_string(row.held_by));
    EXPECT_EQ(held->outcome,
              row.held_by == FailureClass::kQuota ? Outcome::kFailed : Outcome::kNotSent);
    EXPECT_GE(held->retry_after_ms, row.wait_ms);
    EXPECT_LE(held->retry_after_ms, row.wait_ms + 1'000) << "and its turn then";
    buckets.clock.steady_ms += held->retry_after_ms;
    EXPECT_FALSE(buckets.ask());
  }
}

// However many have approved: one asks the provider, and the others wait for what it says.
TEST(RateBuckets, OfThoseWhoHavePaidOneFindsOut) {
  for (const FailureClass says : {FailureClass::kNone, FailureClass::kQuota}) {
    SCOPED_TRACE(to_string(says));
    Buckets buckets;
    buckets.clock.wall_ms = 50'000;
    buckets.note(told(FailureClass::kQuota));
    EXPECT_EQ(buckets.ask("a", 49'999)->failure, FailureClass::kQuota) << "paid before";
    EXPECT_FALSE(buckets.ask("a", 50'001));
    const auto second = buckets.ask("a", 50'002);
    ASSERT_TRUE(second);
    EXPECT_EQ(second->outcome, Outcome::kNotSent);
    EXPECT_EQ(second->failure, FailureClass::kRateLimit) << "no attempt is used up";
    EXPECT_EQ(second->retry_after_ms, RateBuckets::kNextMs);
    EXPECT_EQ(buckets.ask()->outcome, Outcome::kFailed) << "nobody has paid for it";
    buckets.clock.steady_ms += RateBuckets::kNextMs;
    buckets.clock.wall_ms += RateBuckets::kNextMs;
    EXPECT_FALSE(buckets.ask("a", 50'002)) << "one that takes long stops nobody";
    buckets.note(told(says));
    const auto after = buckets.ask("a", 50'002);
    if (says == FailureClass::kNone) {
      EXPECT_FALSE(after);
      EXPECT_FALSE(buckets.ask());
    } else {
      EXPECT_EQ(after->outcome, Outcome::kFailed) << "its person is asked again";
    }
  }
}

TEST(RateBuckets, AProbeThatIsToWaitHasFoundMoney) {
  Buckets buckets;
  buckets.clock.wall_ms = 50'000;
  buckets.note(told(FailureClass::kQuota));
  EXPECT_FALSE(buckets.ask("a", 50'001));
  buckets.note(told(FailureClass::kRateLimit, 5'000));
  for (const int64_t mended_ms : {0, 50'001}) {
    const auto held = buckets.ask("a", mended_ms);
    ASSERT_TRUE(held);
    EXPECT_EQ(held->outcome, Outcome::kNotSent);
    EXPECT_GE(held->retry_after_ms, 5'000);
  }
}

TEST(RateBuckets, AWallClockThatIsSetChangesNothing) {
  Buckets buckets;
  buckets.note(told(FailureClass::kRateLimit, 5'000));
  buckets.clock.wall_ms += 86'400'000;
  EXPECT_TRUE(buckets.ask());
  buckets.clock.wall_ms -= 2 * 86'400'000;
  buckets.clock.steady_ms += 6'001;
  EXPECT_FALSE(buckets.ask());
}

TEST(RateBuckets, OtherTroubleClosesNothing) {
  Buckets buckets;
  for (const FailureClass other : {FailureClass::kAuth, FailureClass::kInvalid,
                                   FailureClass::kTransient, FailureClass::kAmbiguous}) {
    buckets.note(told(other, 90'000));
    EXPECT_FALSE(buckets.ask()) << to_string(other);
  }
}

TEST(RateBuckets, ACredentialAndAModelShareOne) {
  ModelConfig one;
  one.key = "env:A";
  one.model = "m";
  ModelConfig same = one;
  same.name = "other";
  EXPECT_EQ(bucket_of(one), bucket_of(same));
  for (const auto member : {&ModelConfig::key, &ModelConfig::model, &ModelConfig::base_url}) {
    ModelConfig other = one;
    other.*member = "x";
    EXPECT_NE(bucket_of(one), bucket_of(other));
  }
  ModelConfig aws = one;
  aws.aws.access_key_id = "env:ID";
  EXPECT_NE(bucket_of(one), bucket_of(aws));
}

}  // namespace
}  // namespace perdure::runtime
