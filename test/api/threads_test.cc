// The engine, the timers and the clients on threads of their own, as in a server.
#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "api/world.h"

namespace perdure::api::test {
namespace {

TEST(Threads, StreamsThatBeginWhileTheirTaskRunsAreWhole) {
  World world;
  std::atomic<bool> over{false};
  std::jthread engine([&] {
    while (!over) {
      if (!world.engine.pump()) std::this_thread::yield();
    }
  });
  std::jthread timers([&] {
    while (!over) {
      if (!world.timers.run_due()) std::this_thread::yield();
    }
  });
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  const auto wait_for = [&](const auto& condition) {
    while (!condition() && std::chrono::steady_clock::now() < deadline) std::this_thread::yield();
    return condition();
  };
  std::vector<std::shared_ptr<Recorder>> streams;
  std::vector<std::shared_ptr<Recorder>> waits;
  for (int i = 0; i < 50; ++i) {
    const auto submitted = world.start(
        {.method = "POST", .target = "/v1/tasks", .body = R"({"agent":"lookup","input":1})"});
    ASSERT_TRUE(wait_for([&] { return World::answer_of(*submitted).status == 202; }));
    const std::string target = World::answer_of(*submitted).header("location");
    for (int k = 0; k < 3; ++k) {
      streams.push_back(world.start(
          {.target = target + "/events", .headers = {{"accept", "text/event-stream"}}}));
    }
    waits.push_back(world.start({.target = target + "?wait=60"}));
  }
  EXPECT_TRUE(wait_for([&] {
    for (const auto& stream : streams) {
      if (!stream->ended) return false;
    }
    for (const auto& wait : waits) {
      if (World::answer_of(*wait).status != 200) return false;
    }
    return true;
  }));
  over = true;
  engine.join();
  timers.join();
  for (const auto& stream : streams) {
    const std::vector<Message> messages = messages_of(stream->stream);
    ASSERT_EQ(messages.size(), 7u);
    for (size_t i = 0; i < messages.size(); ++i) EXPECT_EQ(messages[i].id, std::to_string(i + 1));
  }
}

}  // namespace
}  // namespace perdure::api::test
