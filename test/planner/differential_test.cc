// The script planner in C++ and the one in examples/script_planner.py are the same function: equal
// plans, with scripts and news of every kind, give turns with equal hashes. Also the round trip of
// the wire: the Python planner sees only what plan_to_json writes.
#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <sstream>

#include "base/json.h"
#include "journal/turn_json.h"
#include "script/script.h"
#include "world.h"

namespace perdure {
namespace {

constexpr int kTurnsMax = 40;
const TaskId kTask = TaskId::make(1'700'000'000'000, 1, 2);

struct Expected {
  std::string script;
  uint64_t seed = 0;
  Result<AnswerTurn> turn;
};

class Differential : public testing::Test {
 protected:
  // Every turn of one task, as C++ answers it; the plans as Python gets them.
  void play(const std::string& script, uint64_t seed) {
    const auto parsed = Script::parse(script);
    ASSERT_TRUE(parsed) << parsed.error().message << '\n' << script;
    World world(seed);
    const Payload input = Payload::of(script);
    Payload state;
    Seq after = 0;
    for (uint64_t turn = 1; turn <= kTurnsMax; ++turn) {
      const Seq upto = world.head();
      const auto plan = plan_to_json({.task = kTask,
                                      .plan = {.turn = turn, .upto_seq = upto, .attempt = 1},
                                      .after_seq = after,
                                      .state = state,
                                      .input = input,
                                      .news = world.records()});
      ASSERT_TRUE(plan) << plan.error().message;
      plans_ += to_json(*plan) + '\n';
      auto answered = answer(*parsed, turn, upto, state, world.records(), after);
      expected_.push_back({script, seed, answered});
      if (!answered) return;
      world.accept(*answered);
      state = answered->state;
      after = upto;
      if (ends(*answered)) return;
    }
  }

  // Compares what Python answered to the same plans.
  void compare() {
    const std::string stem = testing::TempDir() + "perdure_planner_" + std::to_string(getpid());
    const std::string in = stem + ".plans";
    const std::string out = stem + ".turns";
    std::ofstream(in) << plans_;
    const std::string source = PERDURE_SOURCE_DIR;
    const std::string command = "'" PERDURE_PYTHON "' -B '" + source +
                                "/test/planner/answer_lines.py' '" + source +
                                "/examples/script_planner.py' < '" + in + "' > '" + out + "'";
    ASSERT_EQ(std::system(command.c_str()), 0) << command;
    std::ifstream turns(out);
    std::remove(in.c_str());
    std::remove(out.c_str());
    std::string line;
    size_t errors = 0;
    size_t actions = 0;
    for (const Expected& expected : expected_) {
      ASSERT_TRUE(std::getline(turns, line));
      SCOPED_TRACE("seed " + std::to_string(expected.seed) + "\n" + expected.script + "\n" + line);
      compare_one(expected, line);
      if (HasFailure()) return;
      errors += !expected.turn;
      actions += expected.turn ? expected.turn->actions.size() : 0;
    }
    EXPECT_FALSE(std::getline(turns, line)) << line;
    std::cout << expected_.size() << " turns, " << actions << " actions, " << errors
              << " that cannot be answered\n";
  }

 private:
  static bool ends(const AnswerTurn& turn) {
    return !turn.actions.empty() && (std::holds_alternative<CompleteAction>(turn.actions.back()) ||
                                     std::holds_alternative<FailAction>(turn.actions.back()));
  }

  static void compare_one(const Expected& expected, const std::string& line) {
    const auto body = parse_json(line, "turn", kTurnJsonLimits);
    ASSERT_TRUE(body) << body.error().message;
    const auto turn = remote_turn_from_json(*body);
    ASSERT_TRUE(turn) << turn.error().message;
    EXPECT_EQ(turn->task, kTask);
    const auto* answered = std::get_if<AnswerTurn>(&turn->answer);
    ASSERT_EQ(answered != nullptr, expected.turn.has_value());
    if (answered == nullptr) return;
    EXPECT_EQ(answered->state.view(), expected.turn->state.view());
    ASSERT_EQ(answered->actions.size(), expected.turn->actions.size());
    EXPECT_EQ(answered->answer_hash, expected.turn->answer_hash);
  }

  std::string plans_;
  std::vector<Expected> expected_;
};

TEST_F(Differential, WrittenScripts) {
  std::ifstream file(std::string(PERDURE_SOURCE_DIR) + "/test/planner/scripts.json");
  std::stringstream text;
  text << file.rdbuf();
  const auto scripts = parse_json(text.str(), "scripts.json");
  ASSERT_TRUE(scripts) << scripts.error().message;
  ASSERT_GE(scripts->as_array().size(), 30u);
  for (const json::value& script : scripts->as_array()) {
    for (uint64_t seed = 1; seed <= 40; ++seed) play(to_canonical_json(script), seed);
  }
  compare();
}

TEST_F(Differential, RandomScripts) {
  for (uint64_t seed = 1; seed <= 1500; ++seed) {
    std::mt19937_64 random(seed);
    play(random_script(random), seed);
  }
  compare();
}

}  // namespace
}  // namespace perdure
