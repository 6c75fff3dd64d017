// Commands of all shells share the machine: how many run at once, who waits, and in which order.
#include <gmock/gmock.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tool/shell_executor.h"

namespace perdure {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using End = ProcessExit::End;

constexpr uint64_t kMiB = 1u << 20;

// Runs what it is given until the test ends it, by the command's text.
class Machine final : public ProcessRunner {
 public:
  ~Machine() override { callbacks_.clear(); }
  std::unique_ptr<Process> start(ProcessSpec spec, ProcessCallbacks callbacks) override {
    begun.push_back(spec.command.back());
    disk_bytes = spec.limits.disk_bytes;
    callbacks_[begun.back()] = std::move(callbacks);
    return std::make_unique<Silent>();
  }
  Status try_sandbox() override { return {}; }

  void end(const std::string& command) {
    const auto on_exit = callbacks_.at(command).on_exit;
    callbacks_.erase(command);
    on_exit({End::kExited, 0, ""});
  }

  std::vector<std::string> begun;
  uint64_t disk_bytes = 0;  // of the last

 private:
  class Silent final : public Process {
    bool write(std::string) override { return false; }
    void close_stdin() override {}
    void kill() override {}
  };
  std::map<std::string, ProcessCallbacks> callbacks_;
};

class ShellRoomTest : public ::testing::Test {
 protected:
  void open(ShellRoom room, ShellToolExecutor::FreeBytes free_bytes = {}) {
    ShellToolConfig small;
    small.name = "small";
    small.workspace = "/srv/work";
    small.memory_mb = 100;
    ShellToolConfig large = small;
    large.name = "large";
    large.memory_mb = 300;
    executor_.emplace(machine_, Secrets(), std::vector<std::string>(), std::vector{small, large},
                      room, std::move(free_bytes));
  }

  void start(const std::string& command, const std::string& tenant = "a",
             const std::string& tool = "small") {
    CallRequest request;
    request.tenant = tenant;
    request.send.step = command;
    request.send.name = tool;
    request.send.args = Payload::of(R"({"command":")" + command + "\"}");
    executor_->start(std::move(request), [this, command](const SettleStep& settle) {
      EXPECT_FALSE(settled_.contains(command));
      settled_[command] = settle;
    });
  }

  Machine machine_;
  std::optional<ShellToolExecutor> executor_;
  std::map<std::string, SettleStep> settled_;
};

TEST_F(ShellRoomTest, SoManyRunAtOnceAndTheRestWait) {
  open({.at_once = 2});
  for (const char* command : {"1", "2", "3", "4"}) start(command);
  EXPECT_THAT(machine_.begun, ElementsAre("1", "2"));
  machine_.end("2");
  EXPECT_THAT(machine_.begun, ElementsAre("1", "2", "3"));
  machine_.end("1");
  machine_.end("3");
  machine_.end("4");
  EXPECT_EQ(settled_.size(), 4u);
  for (const auto& [command, settle] : settled_) EXPECT_EQ(settle.outcome, Outcome::kSucceeded);
}

TEST_F(ShellRoomTest, TenantsTakeTurns) {
  open({.at_once = 1});
  for (const char* command : {"a1", "a2", "a3", "a4"}) start(command, "a");
  start("b1", "b");
  start("b2", "b");
  for (size_t i = 0; i < machine_.begun.size(); ++i) machine_.end(machine_.begun[i]);
  EXPECT_THAT(machine_.begun, ElementsAre("a1", "b1", "a2", "b2", "a3", "a4"));
}

TEST_F(ShellRoomTest, TheirMemoryTogetherIsBounded) {
  open({.at_once = 10, .memory_bytes = 400 * kMiB});
  start("1", "a", "large");
  start("2");
  start("3");  // 500 MiB
  EXPECT_THAT(machine_.begun, ElementsAre("1", "2"));
  machine_.end("2");
  EXPECT_THAT(machine_.begun, ElementsAre("1", "2", "3"));
  machine_.end("1");
  start("4", "a", "large");
  EXPECT_EQ(machine_.begun.back(), "4");
}

TEST_F(ShellRoomTest, OneAloneMayHaveMoreThanAllTogether) {
  open({.at_once = 10, .memory_bytes = 200 * kMiB});
  start("1", "a", "large");
  start("2", "a", "large");
  EXPECT_THAT(machine_.begun, ElementsAre("1"));
  machine_.end("1");
  EXPECT_THAT(machine_.begun, ElementsAre("1", "2"));
}

TEST_F(ShellRoomTest, WhatWaitedAndIsUnwantedHasNotBeenSent) {
  open({.at_once = 1});
  start("1");
  start("2");
  start("3");
  executor_->abort(TaskId{}, "2");
  EXPECT_EQ(settled_.at("2").outcome, Outcome::kNotSent);
  machine_.end("1");
  EXPECT_THAT(machine_.begun, ElementsAre("1", "3"));
}

TEST_F(ShellRoomTest, AtTheEndWhatWaitsHasNotBeenSent) {
  open({.at_once = 1});
  start("1");
  start("2");
  executor_->stop_waiting();
  start("3");
  EXPECT_EQ(settled_.at("2").outcome, Outcome::kNotSent);
  EXPECT_EQ(settled_.at("3").outcome, Outcome::kNotSent);
  machine_.end("1");
  EXPECT_EQ(settled_.at("1").outcome, Outcome::kSucceeded);
  EXPECT_THAT(machine_.begun, ElementsAre("1"));
}

TEST_F(ShellRoomTest, NothingIsBegunOnAFullDisk) {
  uint64_t free_bytes = 99 * kMiB;
  open({.at_once = 1, .disk_bytes = 100 * kMiB}, [&](const std::string& folder) {
    EXPECT_EQ(folder, "/srv/work");
    return Result<uint64_t>(free_bytes);
  });
  start("1");
  EXPECT_EQ(settled_.at("1").outcome, Outcome::kNotSent);
  EXPECT_EQ(settled_.at("1").failure, FailureClass::kTransient);
  EXPECT_THAT(settled_.at("1").detail, HasSubstr("99 MiB left"));
  EXPECT_THAT(machine_.begun, IsEmpty());
  free_bytes = 100 * kMiB;
  start("2");
  EXPECT_THAT(machine_.begun, ElementsAre("2"));
  EXPECT_EQ(machine_.disk_bytes, 50 * kMiB) << "and what runs leaves as much";
}

}  // namespace
}  // namespace perdure
