#include <gtest/gtest.h>

#include "script/script.h"

namespace perdure {
namespace {

struct Refused {
  const char* input;
  const char* message;
};

class RefusedScripts : public testing::TestWithParam<Refused> {};

TEST_P(RefusedScripts, NameThePlace) {
  const auto parsed = Script::parse(GetParam().input);
  ASSERT_FALSE(parsed) << GetParam().input;
  EXPECT_EQ(parsed.error().message, GetParam().message);
}

INSTANTIATE_TEST_SUITE_P(
    Table, RefusedScripts,
    testing::Values(
        Refused{R"([])", "input: expected an object, got an array"},
        Refused{R"({})", "input.script: is missing"},
        Refused{R"({"script":{}})", "input.script: expected an array, got an object"},
        Refused{R"({"script":[],"gaurded":true})",
                "input.gaurded: unknown; did you mean 'guarded'?"},
        Refused{R"({"script":[7]})", "script[0]: expected an object, got a number"},
        Refused{R"({"script":[{}]})",
                "script[0]: expected one of call, timer, note, await, complete, fail, repeat"},
        Refused{R"({"script":[{"notes":1}]})", "script[0].notes: unknown; did you mean 'note'?"},
        Refused{R"({"script":[{"note":1,"complete":2}]})",
                "script[0]: 'note' and 'complete', an item has one action"},
        Refused{R"({"script":[{"note":1,"do":[]}]})", "script[0].do: needs 'repeat'"},
        Refused{R"({"script":[{"call":{"tool":"t"}}]})", "script[0].call.step: is missing"},
        Refused{R"({"script":[{"call":{"step":"a"}}]})", "script[0].call.tool: is missing"},
        Refused{R"({"script":[{"call":{"step":"a","tool":5}}]})",
                "script[0].call.tool: expected a string, got a number"},
        Refused{R"({"script":[{"call":{"step":"a","tool":""}}]})",
                "script[0].call.tool: expected 1 to 128 bytes"},
        Refused{R"({"script":[{"call":{"step":"a","tool":"t","model":"m"}}]})",
                "script[0].call.model: a call has a tool or a model"},
        Refused{R"({"script":[{"call":{"step":"","tool":"t"}}]})",
                "script[0].call.step: 0 bytes, expected 1 to 128"},
        Refused{R"({"script":[{"call":{"step":"a","tool":"t","arg":1}}]})",
                "script[0].call.arg: unknown; did you mean 'args'?"},
        Refused{R"({"script":[{"call":{"step":"a","tool":"t","result":1}}]})",
                "script[0].call.result: only of a call whose executor is the planner"},
        Refused{R"({"script":[{"call":{"step":"a","tool":"t","executor":"me"}}]})",
                R"(script[0].call.executor: expected one of "engine", "planner")"},
        Refused{R"({"script":[{"call":{"step":"a","tool":"t"}},{"note":1},
                   {"call":{"step":"a","tool":"t"}}]})",
                "script[2].call.step: the step 'a' is defined at script[0].call.step already"},
        Refused{R"({"script":[{"timer":{"id":"t"}}]})",
                "script[0].timer.after_ms: expected one of after_ms and at_ms"},
        Refused{R"({"script":[{"timer":{"id":"t","after_ms":-1}}]})",
                "script[0].timer.after_ms: -1 is outside 0 to 3162240000000"},
        Refused{R"({"script":[{"timer":{"id":"t","at_ms":0}}]})",
                "script[0].timer.at_ms: 0 is outside 1 to 253402300799999"},
        Refused{R"({"script":[{"fail":5}]})",
                "script[0].fail: expected a string of at most 4096 bytes"},
        Refused{R"({"script":[{"call":{"step":"pay","tool":"t"}},{"await":"pai"}]})",
                "script[1].await: the script has no step 'pai'; did you mean 'pay'?"},
        Refused{R"({"script":[{"await":{"timer":"x"}}]})",
                "script[0].await.timer: the script has no timer 'x'"},
        Refused{R"({"script":[{"await":{"step":"x","timer":"y"}}]})",
                "script[0].await: expected one of step, timer, any, all"},
        Refused{R"({"script":[{"await":{"any":["news",{"all":[]}]}}]})",
                "script[0].await.any[1].all: is empty"},
        Refused{R"({"script":[{"await":{"any":[{"any":[{"any":[{"any":[{"any":[{"any":[{"any":[
                   {"any":["news"]}]}]}]}]}]}]}]}}]})",
                "script[0].await.any[0].any[0].any[0].any[0].any[0].any[0].any[0].any[0]: at most "
                "8 deep, 4096 parts"},
        Refused{R"({"script":[{"note":{"x":[1,{"$result":"b"}]}}]})",
                "script[0].note: the script has no step 'b'"},
        Refused{R"({"script":[{"note":{"$result":5}}]})",
                "script[0].note: expected {\"$result\": step} without other members"},
        Refused{R"({"script":[{"note":1,"if":{"step":"a"}}]})", "script[0].if.is: is missing"},
        Refused{R"({"script":[{"note":1,"if":{"step":"a","is":"done"}}]})",
                "script[0].if.is: expected one of \"succeeded\", \"failed\", \"denied\", "
                "\"unknown\""},
        Refused{R"({"script":[{"note":1,"if":{"not":{"any":[{"step":"a","is":"failed"}]}}}]})",
                "script[0].if.not.any[0].step: the script has no step 'a'"},
        Refused{R"({"script":[{"note":1,"if":{"all":[]}}]})", "script[0].if.all: is empty"},
        Refused{R"({"script":[{"note":1,"if":{"step":"a","is":"failed","at":"/x"}}]})",
                "script[0].if.at: needs 'equals'"},
        Refused{R"({"script":[{"note":1,"if":{"step":"a","is":"failed","equals":1,"at":"x"}}]})",
                "script[0].if.at: not a JSON Pointer"},
        Refused{R"({"script":[{"note":1,"if":{"step":"a","is":"failed","equals":1,"at":"/~"}}]})",
                "script[0].if.at: not a JSON Pointer"},
        Refused{R"({"script":[{"repeat":0,"do":[{"note":1}]}]})",
                "script[0].repeat: 0 is outside 1 to 1000000"},
        Refused{R"({"script":[{"repeat":2.0,"do":[{"note":1}]}]})",
                "script[0].repeat: expected a whole number"},
        Refused{R"({"script":[{"repeat":2}]})", "script[0].do: expected the items to repeat"},
        Refused{R"({"script":[{"repeat":2,"do":[{"repeat":2,"do":[{"note":1}]}]}]})",
                "script[0].do[0].repeat: stands inside another repeat"},
        Refused{R"({"script":[{"repeat":2,"do":[{"call":{"step":"a","tool":"t"}}]},
                   {"await":"a"}]})",
                "script[1].await: the script has no step 'a'; did you mean 'a/0'?"},
        Refused{R"({"script":[{"repeat":2,"do":[{"call":{"step":"a","tool":"t"}}]},
                   {"await":"a/2"}]})",
                "script[1].await: the script has no step 'a/2'; did you mean 'a/0'?"},
        Refused{R"({"script":[{"repeat":2,"do":[{"call":{"step":"a","tool":"t"}}]},
                   {"call":{"step":"a/1","tool":"t"}}]})",
                "script[1].call.step: the step 'a/1' is also made by script[0].do[0].call.step"}));

TEST(Script, LimitsTheLengthOfNamesWithTheirSuffix) {
  const auto with = [](size_t length, const char* times) {
    return R"({"script":[{"repeat":)" + std::string(times) + R"(,"do":[{"timer":{"id":")" +
           std::string(length, 'x') + R"(","after_ms":1}}]}]})";
  };
  EXPECT_TRUE(Script::parse(with(126, "10")));
  EXPECT_EQ(Script::parse(with(126, "11")).error().message,
            "script[0].do[0].timer.id: 129 bytes, expected 1 to 128");
}

TEST(Script, LimitsTheNumberOfItems) {
  std::string items;
  for (int i = 0; i < 10'000; ++i) items += i == 0 ? R"({"note":1})" : R"(,{"note":1})";
  EXPECT_TRUE(Script::parse(R"({"script":[)" + items + "]}"));
  EXPECT_EQ(Script::parse(R"({"script":[{"note":0},)" + items + "]}").error().message,
            "script[10000]: at most 10000 items");
}

TEST(Script, StepsAndTimersMayShareNames) {
  EXPECT_TRUE(Script::parse(R"({"script":[{"timer":{"id":"a","after_ms":1}},
      {"call":{"step":"a","tool":"t"}},{"await":{"any":["a",{"timer":"a"}]}}]})"));
}

// Whatever the text, an answer or an error; also for every prefix and every changed byte.
TEST(Script, SurvivesDamagedText) {
  const std::string text = R"({"script":[{"repeat":3,"do":[{"call":{"step":"a","tool":"t",
      "args":{"x":{"$result":"a"}}},"if":{"not":{"step":"a","is":"failed"}}},{"await":
      {"any":["a",{"timer":"t"}]}}]},{"timer":{"id":"t","at_ms":5}},{"complete":1.5}]})";
  ASSERT_TRUE(Script::parse(text));
  size_t refused = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    refused += !Script::parse(text.substr(0, i));
    for (const char c : {'"', '}', '0', 'z', '\xff'}) {
      std::string damaged = text;
      damaged[i] = c;
      if (const auto parsed = Script::parse(damaged); !parsed) {
        EXPECT_FALSE(parsed.error().message.empty());
        ++refused;
      }
    }
  }
  EXPECT_GT(refused, text.size());
}

}  // namespace
}  // namespace perdure
