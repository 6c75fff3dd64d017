// Requests that read run apart from the thread of all connections: it goes on with the others.
#include <gtest/gtest.h>

#include <deque>

#include "api/world.h"

namespace perdure::api::test {
namespace {

class Apart : public testing::Test {
 protected:
  explicit Apart(ApiLimits limits = {})
      : world_(limits, {},
               [this](std::function<void()> work) { work_.push_back(std::move(work)); }) {}

  void run_all() {
    for (world_.settle(); !work_.empty(); world_.settle()) {
      const auto work = std::move(work_.front());
      work_.pop_front();
      work();
    }
  }
  int status(const std::shared_ptr<Recorder>& asked) {
    return asked->response ? World::answer_of(*asked).status : 0;
  }

  std::deque<std::function<void()>> work_;
  World world_;
};

TEST_F(Apart, ReadsWaitAndSubmissionsDoNot) {
  const auto list = world_.start({.target = "/v1/tasks"});
  const auto inbox = world_.start({.target = "/v1/interrupts"});
  world_.settle();
  EXPECT_EQ(status(list), 0) << "nobody has read yet";
  EXPECT_EQ(work_.size(), 2u);
  const Answer submitted = world_.post("/v1/tasks", R"({"agent":"echo","input":1})");
  EXPECT_EQ(submitted.status, 202);
  EXPECT_EQ(world_.get("/healthz").status, 200);
  run_all();
  EXPECT_EQ(status(list), 200);
  EXPECT_EQ(status(inbox), 200);
}

TEST_F(Apart, ALargeBodyIsParsedApart) {
  const std::string input(200'000, 'x');
  const auto asked = world_.start({.method = "POST",
                                   .target = "/v1/tasks",
                                   .body = R"({"agent":"echo","input":")" + input + "\"}"});
  world_.settle();
  EXPECT_EQ(status(asked), 0);
  run_all();
  EXPECT_EQ(status(asked), 202);
}

TEST_F(Apart, StreamsAndLongPollsReadApartToo) {
  const std::string id = world_.submit("payer");
  const auto stream = world_.start(
      {.target = "/v1/tasks/" + id + "/events", .headers = {{"accept", "text/event-stream"}}});
  const auto wait = world_.start({.target = "/v1/tasks/" + id + "?wait=60"});
  run_all();
  EXPECT_FALSE(messages_of(stream->stream).empty());
  EXPECT_EQ(status(wait), 200) << "it asks somebody";
}

class ApartFull : public Apart {
 protected:
  ApartFull() : Apart({.reads_waiting_max = 3}) {}
};

TEST_F(ApartFull, WhatWouldWaitForTooManyIsRefusedAtOnce) {
  for (int i = 0; i < 3; ++i) world_.start({.target = "/v1/tasks"});
  const auto refused = world_.start({.target = "/v1/tasks"});
  EXPECT_EQ(status(refused), 503);
  EXPECT_EQ(World::answer_of(*refused).text("/code"), "busy");
  EXPECT_EQ(world_.post("/v1/tasks", R"({"agent":"echo","input":1})").status, 202);
  run_all();
  const auto later = world_.start({.target = "/v1/tasks"});
  run_all();
  EXPECT_EQ(status(later), 200);
}

TEST_F(Apart, WhatHasWaitedTooLongIsNotReadAnyMore) {
  const auto late = world_.start({.target = "/v1/tasks"});
  world_.clock.now_us += 11'000'000;
  run_all();
  EXPECT_EQ(status(late), 503);
}

}  // namespace
}  // namespace perdure::api::test
