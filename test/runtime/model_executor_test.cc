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
  ModelExecutor executor_{providers_,
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

}  // namespace
}  // namespace perdure::runtime
