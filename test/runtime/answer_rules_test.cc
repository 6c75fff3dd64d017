#include "runtime/answer_rules.h"

#include <gtest/gtest.h>

#include <string>

namespace perdure::runtime {
namespace {

constexpr const char* kColours = R"({"question":"Which?","choices":["red","green",3]})";
constexpr const char* kNumber =
    R"({"question":"How many?","choices":["41","none"],"schema":{"pattern":"^[0-9]+$"}})";
constexpr const char* kForm =
    R"({"question":"q","schema":{"type":"object","properties":{"size":{"enum":["S","M"]}}}})";

struct Case {
  const char* question;
  const char* answer;
  std::string error;  // empty: it is taken
};

TEST(AnswerRulesTest, AnAnswerIsOneOfTheChoicesAndFitsTheSchema) {
  const Case cases[] = {
      {kColours, R"("green")", ""},
      {kColours, "3", ""},
      {kColours, R"("3")", R"(the answer is not one of the choices: "red", "green", 3)"},
      {kColours, R"("dismiss")", R"(the answer is not one of the choices: "red", "green", 3)"},
      {kNumber, R"("41")", ""},
      {kNumber, R"("42")", R"(the answer is not one of the choices: "41", "none")"},
      {kNumber, R"("none")", R"(matches the pattern "^[0-9]+$")"},
      {kForm, R"({"size":"S"})", ""},
      {kForm, R"({"size":"L"})", R"("S", "M")"},
      {kForm, R"("S")", "expected an object"},
      {R"({"question":"q"})", R"("anything")", ""},
      {R"({"question":"q","choices":[]})", R"("anything")", ""},
      {R"({"question":"q","schema":{"type":"nothing"}})", R"("whoever asked checks it")", ""},
      {"null", "7", ""},
  };
  for (const Case& each : cases) {
    const Status fits = check_answer(each.question, each.answer);
    EXPECT_EQ(fits.has_value(), each.error.empty()) << each.question << each.answer;
    if (fits) continue;
    EXPECT_EQ(fits.error().code, Code::kInvalid);
    EXPECT_NE(fits.error().message.find(each.error), std::string::npos) << fits.error().message;
  }
}

TEST(AnswerRulesTest, TheErrorIsShortHoweverManyChoicesThereAre) {
  std::string question = R"({"question":"q","choices":[")" + std::string(100'000, 'x') + '"';
  for (int i = 1; i < 1000; ++i) question += ',' + std::to_string(i);
  const Status fits = check_answer(question + "]}", "-1");
  ASSERT_FALSE(fits);
  EXPECT_LT(fits.error().message.size(), 400u);
  EXPECT_TRUE(fits.error().message.ends_with(", 19, or 980 more")) << fits.error().message;
}

}  // namespace
}  // namespace perdure::runtime
