#include "tool/shell_executor.h"

#include <gmock/gmock.h>

#include <optional>

#include "base/json.h"

namespace perdure {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using End = ProcessExit::End;

// Keeps what was started, and lets the test say how it goes.
class FakeRunner final : public ProcessRunner {
 public:
  // A real one has called back for the last time by now, and keeps nothing.
  ~FakeRunner() override {
    for (const auto& one : started) one->callbacks = {};
  }
  struct Started {
    ProcessSpec spec;
    ProcessCallbacks callbacks;
    bool killed = false;
    bool stdin_closed = false;
  };
  std::unique_ptr<Process> start(ProcessSpec spec, ProcessCallbacks callbacks) override {
    started.push_back(std::make_shared<Started>(Started{std::move(spec), std::move(callbacks)}));
    if (at_once) started.back()->callbacks.on_exit(*at_once);
    return std::make_unique<Handle>(started.back());
  }
  Status try_sandbox() override { return {}; }

  std::vector<std::shared_ptr<Started>> started;
  std::optional<ProcessExit> at_once;

 private:
  class Handle final : public Process {
   public:
    explicit Handle(std::shared_ptr<Started> started) : started_(std::move(started)) {}
    ~Handle() override { kill(); }
    bool write(std::string) override { return false; }
    void close_stdin() override { started_->stdin_closed = true; }
    void kill() override { started_->killed = true; }

   private:
    std::shared_ptr<Started> started_;
  };
};

class ShellExecutor : public ::testing::Test {
 protected:
  ShellExecutor() {
    ShellToolConfig tool;
    tool.name = "sh";
    tool.workspace = "/srv/work";
    tool.environment = {{"TOKEN", "{{secret:key}}"}, {"PATH", "/opt/bin"}};
    tool.timeout_ms = 10'000;
    tool.max_output_bytes = 20;
    ShellToolConfig broken = tool;
    broken.name = "broken";
    broken.environment = {{"TOKEN", "{{secret:none}}"}};
    Secrets secrets;
    EXPECT_TRUE(secrets.add("key", "open-sesame"));
    executor_.emplace(runner_, secrets, std::vector<std::string>{"/srv/data"},
                      std::vector{tool, broken});
  }

  void start(const std::string& args, const std::string& tool = "sh",
             EffectClass effect = EffectClass::kOnce) {
    CallRequest request;
    request.send.effect = effect;
    request.task = task_;
    request.send.step = "s1";
    request.send.attempt = 2;
    request.send.name = tool;
    request.send.args = Payload::of(args);
    executor_->start(std::move(request), [this](SettleStep settle) {
      EXPECT_FALSE(settled_);
      EXPECT_EQ(settle.step, "s1");
      EXPECT_EQ(settle.attempt, 2u);
      settled_ = std::move(settle);
    });
  }
  FakeRunner::Started& last() { return *runner_.started.back(); }
  void end(End how, int status = 0, const std::string& detail = "") {
    last().callbacks.on_exit({how, status, detail});
  }
  json::object result() { return parse_json(settled_->result.view(), "result")->as_object(); }

  FakeRunner runner_;
  std::optional<ShellToolExecutor> executor_;
  TaskId task_;
  std::optional<SettleStep> settled_;
};

TEST_F(ShellExecutor, RunsTheCommandInItsPlace) {
  start(R"({"command":"ls | wc -l","timeout_s":1.5})");
  const ProcessSpec& spec = last().spec;
  EXPECT_EQ(spec.command, (std::vector<std::string>{"/bin/sh", "-c", "ls | wc -l"}));
  EXPECT_EQ(spec.workdir, "/srv/work");
  EXPECT_EQ(spec.writable, std::vector<std::string>{"/srv/work"});
  EXPECT_EQ(spec.hidden, std::vector<std::string>{"/srv/data"});
  EXPECT_EQ(spec.isolation, ProcessSpec::Isolation::kSandbox);
  EXPECT_FALSE(spec.network);
  EXPECT_EQ(spec.limits.wall_ms, 1500);
  EXPECT_TRUE(last().stdin_closed);
  const std::vector<std::pair<std::string, std::string>> environment = {
      {"HOME", "/tmp"}, {"LANG", "C.UTF-8"}, {"TOKEN", "open-sesame"}, {"PATH", "/opt/bin"}};
  EXPECT_EQ(spec.environment, environment);
}

TEST_F(ShellExecutor, TellsWhatTheEndMeans) {
  struct {
    End end;
    int status;
    Outcome outcome;
    FailureClass failure;
    bool has_result;
    EffectClass effect = EffectClass::kOnce;
  } const cases[] = {
      {End::kExited, 0, Outcome::kSucceeded, FailureClass::kNone, true},
      {End::kExited, 2, Outcome::kFailed, FailureClass::kInvalid, true},
      {End::kTimedOut, 0, Outcome::kInDoubt, FailureClass::kAmbiguous, false},
      {End::kTimedOut, 0, Outcome::kFailed, FailureClass::kTransient, true, EffectClass::kRepeat},
      {End::kOutputLimit, 0, Outcome::kInDoubt, FailureClass::kAmbiguous, false},
      {End::kOutputLimit, 0, Outcome::kFailed, FailureClass::kTooLarge, true, EffectClass::kRead},
      {End::kDiskFull, 0, Outcome::kInDoubt, FailureClass::kAmbiguous, false},
      {End::kDiskFull, 0, Outcome::kFailed, FailureClass::kTooLarge, true, EffectClass::kRepeat},
      {End::kNotStarted, 0, Outcome::kNotSent, FailureClass::kTransient, false},
      {End::kSignalled, 9, Outcome::kInDoubt, FailureClass::kAmbiguous, false},
      {End::kKilled, 0, Outcome::kInDoubt, FailureClass::kAmbiguous, false},
  };
  for (const auto& each : cases) {
    settled_.reset();
    start(R"({"command":"x"})", "sh", each.effect);
    end(each.end, each.status, "why");
    ASSERT_TRUE(settled_);
    EXPECT_EQ(settled_->outcome, each.outcome) << static_cast<int>(each.end);
    EXPECT_EQ(settled_->failure, each.failure) << static_cast<int>(each.end);
    EXPECT_EQ(settled_->result.exists(), each.has_result) << static_cast<int>(each.end);
    EXPECT_EQ(settled_->detail, each.outcome == Outcome::kSucceeded ? "" : "why");
  }
}

TEST_F(ShellExecutor, KeepsTheBeginningOfTheOutput) {
  start(R"({"command":"x"})");
  last().callbacks.on_stdout("0123456789");
  last().callbacks.on_stdout("0123456789");
  last().callbacks.on_stderr("e\xff\xe2\x82\xac");
  end(End::kExited, 3);
  EXPECT_EQ(result(), (json::object{{"exit_code", 3},
                                    {"stdout", "01234567890123456789"},
                                    {"stderr", "e\xEF\xBF\xBD\xE2\x82\xAC"}}));
  settled_.reset();
  start(R"({"command":"x"})");
  last().callbacks.on_stdout("0123456789012345678");
  last().callbacks.on_stdout("9x");
  end(End::kExited);
  EXPECT_EQ(result(), (json::object{{"exit_code", 0},
                                    {"truncated", true},
                                    {"stdout", "01234567890123456789"},
                                    {"stderr", ""}}));
}

TEST_F(ShellExecutor, MasksSecretsAlsoWhereTheOutputIsCut) {
  start(R"({"command":"x"})");
  last().callbacks.on_stdout("open-");
  last().callbacks.on_stdout("sesame");
  last().callbacks.on_stderr("0123456789 open-sesame");
  end(End::kExited, 1, "open-sesame");
  EXPECT_EQ(result().at("stdout").as_string(), "{{secret:key}}");
  EXPECT_THAT(std::string(result().at("stderr").as_string()), Not(HasSubstr("open-s")));
  EXPECT_EQ(settled_->detail, "{{secret:key}}");
}

TEST_F(ShellExecutor, RefusesArgumentsThatItDoesNotUnderstand) {
  for (const char* args :
       {"", "[]", "{}", R"({"command":""})", R"({"command":7})", R"({"command":"a\u0000b"})",
        R"({"command":"x","timeout_s":11})", R"({"command":"x","timeout_s":-1})",
        R"({"command":"x","timeout_s":"1"})", R"({"command":"x","cwd":"/"})"}) {
    settled_.reset();
    start(args);
    ASSERT_TRUE(settled_) << args;
    EXPECT_EQ(settled_->outcome, Outcome::kFailed) << args;
    EXPECT_EQ(settled_->failure, FailureClass::kInvalid) << args;
  }
  EXPECT_TRUE(runner_.started.empty());
}

TEST_F(ShellExecutor, SendsNothingWithoutItsSecretOrItsTool) {
  start(R"({"command":"x"})", "broken");
  EXPECT_EQ(settled_->outcome, Outcome::kNotSent);
  settled_.reset();
  start(R"({"command":"x"})", "other");
  EXPECT_EQ(settled_->outcome, Outcome::kNotSent);
  EXPECT_TRUE(runner_.started.empty());
}

TEST_F(ShellExecutor, AnAbortEndsItInDoubtUnlessItMayRunAgain) {
  start(R"({"command":"x"})");
  executor_->abort(task_, "s1");
  end(End::kKilled, 0, "killed");
  EXPECT_EQ(settled_->outcome, Outcome::kInDoubt);
  settled_.reset();
  start(R"({"command":"x"})", "sh", EffectClass::kRepeat);
  executor_->abort(task_, "another step");
  EXPECT_FALSE(last().killed);
  executor_->abort(task_, "s1");
  EXPECT_TRUE(last().killed);
  end(End::kKilled, 0, "killed");
  EXPECT_EQ(settled_->outcome, Outcome::kFailed);
  executor_->abort(task_, "s1");  // has ended
}

TEST_F(ShellExecutor, MayEndBeforeItHasBegun) {
  runner_.at_once = ProcessExit{End::kNotStarted, 0, "no sandbox"};
  start(R"({"command":"x"})");
  ASSERT_TRUE(settled_);
  EXPECT_EQ(settled_->outcome, Outcome::kNotSent);
  EXPECT_EQ(settled_->detail, "no sandbox");
}

TEST_F(ShellExecutor, OutlivesItsExecutor) {
  start(R"({"command":"x"})");
  executor_.reset();
  end(End::kExited);
  EXPECT_EQ(settled_->outcome, Outcome::kSucceeded);
}

TEST(ShellTool, IsCheckedAsAWhole) {
  ShellToolConfig good;
  good.name = "sh";
  good.workspace = "/srv/work";
  EXPECT_TRUE(check(good));
  const auto refused = [&](auto change, const char* where) {
    ShellToolConfig bad = good;
    change(bad);
    const Status checked = check(bad);
    ASSERT_FALSE(checked) << where;
    EXPECT_THAT(checked.error().message, HasSubstr(where));
  };
  refused([](auto& tool) { tool.command = {}; }, "tools.sh.shell.command");
  refused([](auto& tool) { tool.command = {"sh", "-c"}; }, "tools.sh.shell.command");
  refused([](auto& tool) { tool.workspace = ""; }, "tools.sh.shell.workspace");
  refused([](auto& tool) { tool.environment = {{"A=B", "c"}}; }, "tools.sh.shell.environment");
  refused([](auto& tool) { tool.identity = {"command"}; }, "tools.sh.identity");
  refused([](auto& tool) { tool.contract.effect = EffectClass::kIdempotent; }, "tools.sh.effect");
}

TEST(ShellTool, DescribesItsArguments) {
  ShellToolConfig tool;
  tool.timeout_ms = 90'000;
  const auto schema = parse_json(input_schema(tool), "schema");
  ASSERT_TRUE(schema);
  EXPECT_EQ(schema->at_pointer("/properties/timeout_s/maximum"), 90);
  EXPECT_EQ(schema->at_pointer("/required/0"), "command");
}

}  // namespace
}  // namespace perdure
