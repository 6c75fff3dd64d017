#include "cli/progress.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <tuple>

#include "cli/question.h"
#include "cli/words.h"

namespace perdure::cli {
namespace {

constexpr int64_t kCreatedMs = 1'795'509'953'000;  // 2026-11-24T08:45:53Z

json::object object(const std::string& text) {
  auto value = parse_json(text, "test");
  EXPECT_TRUE(value) << text;
  return value ? value->as_object() : json::object();
}

json::object event(const std::string& type, int second, const std::string& data) {
  return object(R"({"seq":1,"type":")" + type + R"(","at":"2026-11-24T08:45:)" +
                std::to_string(second) + R"(.000Z","data":)" + data + "}");
}

constexpr const char* kInterrupt = "int_06h0sex5g5txq2apjrb1fzj6yg0000000000028";

std::vector<json::object> story() {
  const std::string interrupt = R"("interrupt":")" + std::string(kInterrupt) + R"(")";
  return {
      event("task.created", 53, R"({"agent":"refunds","input":"order 42"})"),
      event("model.planned", 53, R"({"step":"m1","model":"main"})"),
      event("model.requested", 53, R"({"step":"m1","model":"main","attempt":1})"),
      event("model.answered", 55,
            R"({"step":"m1","model":"main","attempt":1,
                "used":{"cost_usd":0.0021,"input_tokens":1204,"output_tokens":45},
                "result":{"text":"I look it up.","calls":[]}})"),
      event("tool.planned", 55,
            R"({"step":"t1.0","tool":"pay","args":{"order":42},"verdict":"ask"})"),
      event("interrupt.requested", 55,
            "{" + interrupt + R"(,"reason":"tool_approval","step":"t1.0","tool":"pay",
                "message":"may 'pay' be called?","open_interrupts":1})"),
      event("interrupt.resolved", 57,
            "{" + interrupt + R"(,"decision":"approve","by":"ann","open_interrupts":0})"),
      event("tool.intended", 57, R"({"step":"t1.0","tool":"pay","attempt":1})"),
      event("tool.succeeded", 58,
            R"({"step":"t1.0","tool":"pay","attempt":1,"result":{"paid":"\u001b[2J"}})"),
      event("task.completed", 59, R"({"stop_reason":"end_turn","result":{"text":"Done."}})"),
  };
}

std::vector<std::string> told(const Look& look) {
  Progress progress(look);
  std::vector<std::string> lines;
  for (const json::object& one : story()) {
    for (std::string& line : progress.tell(one)) lines.push_back(std::move(line));
  }
  EXPECT_TRUE(progress.has_ended());
  EXPECT_EQ(progress.status(), "completed");
  return lines;
}

TEST(Progress, IsToldInLines) {
  EXPECT_THAT(told({}),
              testing::ElementsAre(
                  " 0:00  agent    refunds", " 0:00  model    turn 1: main",
                  " 0:02  model    turn 1  2.0 s  1,204 in, 45 out  $0.0021  I look it up.",
                  " 0:02  asks     b1fzj6yg.9 approval: may 'pay' be called?  {\"order\":42}",
                  " 0:04  person   b1fzj6yg.9 approve by ann", " 0:04  tool     pay {\"order\":42}",
                  " 0:05  tool     pay {\"order\":42}  ok  1.0 s  {\"paid\":\"\\u001b[2J\"}",
                  " 0:06  end      completed  1 turn, 1 tool call, 1,249 tokens, $0.0021"));
}

TEST(Progress, HasOneLineACallOnATerminal) {
  const std::vector<std::string> lines = told({true, false, 60});
  EXPECT_EQ(lines.size(), 6u);
  for (const std::string& line : lines) EXPECT_LT(line.size(), 60u) << line;
  EXPECT_THAT(told({true, true, 200})[1], testing::HasSubstr("\x1b[32mmodel  \x1b[0m  turn 1"));
}

TEST(Progress, ShowsWhatIsUnderWay) {
  Progress progress({true, true, 70});
  EXPECT_TRUE(progress.live(kCreatedMs).empty());
  const auto events = story();
  for (size_t i = 0; i < 3; ++i) progress.tell(events[i]);
  progress.hear(object(R"({"step":"m1","attempt":1,"text":"Let me \u001b[2Jsee"})"));
  EXPECT_THAT(progress.live(kCreatedMs + 1500),
              testing::ElementsAre("    \x1b[2mLet me \\x1b[2Jsee\x1b[0m", "    model main   1.5 s",
                                   "\x1b[36m0:01  working  1 turn, 0 tool calls\x1b[0m"));
  progress.forget_heard();
  EXPECT_EQ(progress.live(kCreatedMs).size(), 2u);
  for (size_t i = 3; i < 6; ++i) progress.tell(events[i]);
  EXPECT_EQ(progress.questions(), 1u);
  EXPECT_THAT(progress.live(kCreatedMs),
              testing::ElementsAre(testing::HasSubstr("a person is asked")));
  for (size_t i = 6; i < events.size(); ++i) progress.tell(events[i]);
  EXPECT_TRUE(progress.live(kCreatedMs).empty());
}

TEST(Progress, WithdrawsALostAnswer) {
  Progress progress({true, false, 120});
  const auto events = story();
  for (size_t i = 0; i < 3; ++i) progress.tell(events[i]);
  progress.hear(object(R"({"step":"m1","attempt":1,"text":"half of"})"));
  const auto lines = progress.tell(event("model.superseded", 54, R"({"step":"m1","attempt":1})"));
  EXPECT_THAT(lines, testing::ElementsAre(testing::HasSubstr("answer lost, asked again")));
  EXPECT_THAT(progress.live(kCreatedMs), testing::ElementsAre(testing::HasSubstr("working")));
  progress.tell(event("timer.set", 54, R"({"timer":"r","due":"2026-11-24T08:46:54.000Z"})"));
  EXPECT_THAT(progress.live(kCreatedMs + 1000),
              testing::ElementsAre(testing::HasSubstr("waits: a timer, in 1 min")));
  progress.tell(event("timer.fired", 55, R"({"timer":"r"})"));
  progress.tell(event("model.requested", 55, R"({"step":"m1","model":"main","attempt":2})"));
  EXPECT_THAT(progress.live(kCreatedMs + 2000).back(), testing::HasSubstr("1 turn,"));
}

TEST(Progress, CountsNoTurnForAFailover) {
  Progress progress({});
  std::vector<std::string> lines;
  for (const auto& [step, model, outcome] : {std::tuple{"m1", "first", "failed"},
                                             {"m2", "second", "answered"},
                                             {"m3", "first", "answered"}}) {
    const std::string data =
        fmt::format(R"({{"step":"{}","model":"{}","attempt":1}})", step, model);
    for (const std::string what : {"planned", "requested", outcome}) {
      for (std::string& line : progress.tell(event("model." + what, 53, data))) {
        lines.push_back(std::move(line));
      }
    }
  }
  EXPECT_THAT(lines, testing::ElementsAre(
                         testing::HasSubstr("turn 1: first"), testing::HasSubstr("turn 1  failed"),
                         testing::HasSubstr("turn 1: second"), testing::HasSubstr("turn 1"),
                         testing::HasSubstr("turn 2: first"), testing::HasSubstr("turn 2")));
}

TEST(Progress, SaysWhyItWaits) {
  for (const bool is_terminal : {false, true}) {
    Progress progress({is_terminal, false, 120});
    const auto events = story();
    for (size_t i = 0; i < 3; ++i) progress.tell(events[i]);
    progress.tell(
        event("model.deferred", 54, R"({"step":"m1","attempt":1,"failure":"rate_limit"})"));
    const auto lines = progress.tell(
        event("timer.set", 54,
              R"({"timer":"!retry/m1","purpose":"retry","due":"2026-11-24T11:45:53.500Z"})"));
    if (is_terminal) {
      EXPECT_TRUE(lines.empty());
    } else {
      EXPECT_THAT(lines, testing::ElementsAre(" 0:01  waits    rate limit, in 2 h 59 min"));
    }
    EXPECT_THAT(progress.live(kCreatedMs + 61'000),
                testing::ElementsAre(testing::HasSubstr("waits: rate limit, in 2 h 58 min")));
    EXPECT_TRUE(
        progress
            .tell(event("timer.set", 54,
                        R"({"timer":"a","purpose":"ask","due":"2026-11-24T08:45:55.000Z"})"))
            .empty());
  }
}

TEST(Words, SayWhatATaskWaitsFor) {
  const json::object task = object(R"({"waiting_for":[
      {"kind":"interrupt","reason":"tool_approval","id":"i"},
      {"kind":"timer","id":"!retry/m1","reason":"rate_limit","due":"2026-11-24T11:45:53.000Z"},
      {"kind":"timer","id":"x","due":"2026-11-24T08:45:53.000Z"},{"kind":"planner"}]})");
  EXPECT_EQ(waits_text(task, kCreatedMs),
            "tool_approval; rate limit, in 3 h; a timer, now; planner");
}

// Whatever a server says: events of shapes that we do not know are passed over.
TEST(Progress, BearsAnything) {
  Progress progress({});
  for (const char* text :
       {"{}", R"({"type":5})", R"({"type":"model.answered","data":[]})",
        R"({"type":"tool.","data":{}})",
        R"({"type":"tool.failed","at":7,"data":{"step":{},"used":{"cost_usd":"x"},"result":[1]}})",
        R"({"type":"interrupt.requested","data":{"open_interrupts":-5}})",
        R"({"type":"timer.set","data":{"due":3}})"}) {
    progress.tell(object(text));
  }
  progress.hear({});
  EXPECT_FALSE(progress.has_ended());
}

TEST(Question, IsOneScreen) {
  const json::object question = object(R"({
      "id": ")" + std::string(kInterrupt) +
                                       R"(", "task": "task_06h0sex5g5txq2apjrb1fzj6yg",
      "status": "open", "agent": "refunds", "reason": "tool_approval",
      "message": "may 'pay' be called?", "created_at": "2026-11-24T08:45:53.000Z",
      "expires_at": "2026-11-24T10:45:53.000Z", "on_expire": "reject", "assignees": ["ann", "desk"],
      "action": {"tool": "pay", "effect": "once", "key": "k1", "args_sha256": "aa",
                 "args": {"order": 42, "why": "a\nb\u202e"}},
      "allowed_decisions": ["approve", "edit", "reject"]})");
  EXPECT_EQ(question_text(question, {}, kCreatedMs + 180'000),
            "approval  may 'pay' be called?\n"
            "  id        b1fzj6yg.9  (int_06h0sex5g5txq2apjrb1fzj6yg0000000000028)\n"
            "  task      task_06h0sex5g5txq2apjrb1fzj6yg of agent refunds\n"
            "  since     3 min ago\n"
            "  until     in 1 h 57 min, then reject\n"
            "  for       ann, desk\n"
            "  call      pay  (once: is never sent twice)\n"
            "  with      {\n"
            "              \"order\": 42,\n"
            "              \"why\": \"a\\nb\\u202e\"\n"
            "            }\n"
            "  key       k1\n"
            "  answer    perdure approve b1fzj6yg.9\n"
            "            perdure edit b1fzj6yg.9\n"
            "            perdure reject b1fzj6yg.9 --message 'WHY'\n");
}

TEST(Question, OfABudgetSaysWhatIsNeeded) {
  const json::object question = object(R"({"id": "int_x", "reason": "budget_reached",
      "allowed_decisions": ["approve", "reject"],
      "answers": [{"decision": "approve", "body": {"decision": "approve",
                   "add": {"cost_usd": 0.25, "model_calls": 0, "tool_calls": 3}}}]})");
  EXPECT_EQ(commands_of(question).front(),
            "perdure approve int_x --add-usd 0.25 --add-tool-calls 3");
}

TEST(Question, BearsAnything) {
  for (const char* text : {"{}", R"({"answers": 5, "allowed_decisions": [7, {}], "action": [],
                                     "assignees": [null], "expires_at": 5, "response_schema": {}})"}) {
    EXPECT_FALSE(question_text(object(text), {}, 0).empty());
  }
}

}  // namespace
}  // namespace perdure::cli
