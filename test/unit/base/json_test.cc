#include "base/json.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <random>

namespace perdure {
namespace {

TEST(ParseJson, RefusesWhatIsNotOneValue) {
  for (const char* text :
       {"", "{", "[1,]", "{} {}", "nul", "\"\xff\"", "{\"a\":1,\"a\":2}", "01"}) {
    const auto parsed = parse_json(text, "body");
    ASSERT_FALSE(parsed) << text;
    EXPECT_EQ(parsed.error().code, Code::kInvalid) << text;
    EXPECT_TRUE(parsed.error().message.starts_with("body: ")) << parsed.error().message;
  }
}

TEST(ParseJson, IsBoundedInDepthAndSize) {
  EXPECT_FALSE(parse_json(std::string(1'000'000, '['), "body"));
  EXPECT_EQ(parse_json(std::string(100, ' ') + "1", "body", {.size_bytes = 50}).error().code,
            Code::kTooLarge);
  EXPECT_TRUE(parse_json(std::string(60, '[') + std::string(60, ']'), "body"));
}

std::string members(int count) {
  std::string out = "{";
  for (int i = 0; i < count; ++i) out += (i > 0 ? ",\"" : "\"") + std::to_string(i) + "\":0";
  return out + "}";
}

TEST(ParseJson, BoundsTheMembersOfOneObject) {
  const JsonLimits limits{.members = 3};
  EXPECT_TRUE(parse_json(members(3), "body", limits));
  EXPECT_TRUE(parse_json("[" + members(3) + "," + members(3) + "]", "body", limits));
  EXPECT_TRUE(parse_json(R"({"a":{"b":0,"c":0},"d":{"e":0,"f":0},"g":0})", "body", limits));
  const auto refused = parse_json(R"({"a":0,"b":[)" + members(4) + "]}", "body", limits);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kInvalid);
  EXPECT_EQ(refused.error().message, "body: the object around byte 33 has more than 3 members");
}

// The work is bounded before the value is built: what follows is not even looked at.
TEST(ParseJson, AnswersALongObjectAtItsFirstMemberTooMany) {
  std::string text = members(4);
  text.back() = ',';
  EXPECT_EQ(parse_json(text + "no JSON", "body", {.members = 3}).error().message,
            "body: the object around byte 21 has more than 3 members");
}

TEST(ParseJson, FindsEqualNamesHoweverTheyAreWritten) {
  for (const char* text : {R"({"a":0,"\u0061":0})", R"([{"x":{"a":0,"b":0,"a":0}}])"}) {
    EXPECT_EQ(parse_json(text, "body").error().message,
              "body: an object has two members of the same name");
  }
  std::string many = members(30'000);
  many.back() = ',';
  EXPECT_FALSE(parse_json(many + R"("29999":0})", "body"));
}

TEST(ParseJson, ColonsInStringsAreNotMembers) {
  EXPECT_TRUE(parse_json(R"({"a:b\":":"c:d","e":[{"f":1}]})", "body"));
}

TEST(CanonicalJson, SortsMembersAtEveryDepth) {
  const auto value = parse_json(R"({"b":[{"z":1,"a":"x"}], "a" : null})", "body");
  EXPECT_EQ(to_canonical_json(*value), R"({"a":null,"b":[{"a":"x","z":1}]})");
}

TEST(CanonicalJson, IsAFixedPointForEveryDouble) {
  std::mt19937_64 random(7);
  for (int i = 0; i < 20'000; ++i) {
    const double number = std::bit_cast<double>(random());
    if (!std::isfinite(number)) continue;
    const std::string text = R"([1,"2\"3",{"x":)" + to_canonical_json(number) + "}]";
    const auto value = parse_json(text, "body");
    ASSERT_TRUE(value) << text;
    EXPECT_EQ(value->as_array()[2].as_object().at("x").as_double(), number) << text;
    EXPECT_EQ(to_canonical_json(*value), text);
  }
}

TEST(ParseJson, TakesTheNearestDoubleAndRefusesInfinity) {
  EXPECT_EQ(parse_json("-0.30000000000000004", "body")->as_double(), -0.30000000000000004);
  EXPECT_EQ(parse_json("5e-324", "body")->as_double(), 5e-324);
  EXPECT_EQ(parse_json("1e-400", "body")->as_double(), 0.0);
  EXPECT_EQ(parse_json("123456789012345678901234567890", "body")->as_double(),
            123456789012345678901234567890.0);
  EXPECT_EQ(parse_json("[1,-1e400]", "body").error().message,
            "body: the number -1e400 is beyond the range of a double");
}

TEST(ObjectReader, NamesTheNearestKnownMember) {
  const auto value = parse_json(R"({"nmae":"x"})", "body");
  ObjectReader in(*value, "agent");
  in.string("name", "");
  const auto status = in.finish();
  ASSERT_FALSE(status);
  EXPECT_EQ(status.error().message, "agent.nmae: unknown; did you mean 'name'?");
}

TEST(ObjectReader, KeepsTheFirstError) {
  const auto value = parse_json(R"({"n":"x","m":true})", "body");
  ObjectReader in(*value, "body");
  in.integer("n", 0, 9);
  in.integer("m", 0, 9);
  EXPECT_EQ(in.finish().error().message, "body.n: expected a whole number, got a string");
}

TEST(ObjectReader, ListsAndTablesOfStrings) {
  const auto value = *parse_json(R"({"list": ["a", "b"], "table": {"z": "1", "a": "2"},
                                     "mixed": ["a", 1], "numbers": {"a": 1}})",
                                 "test");
  ObjectReader in(value, "here");
  EXPECT_THAT(in.strings("list", {"other"}), testing::ElementsAre("a", "b"));
  EXPECT_THAT(in.strings("absent", {"other"}), testing::ElementsAre("other"));
  EXPECT_THAT(in.strings("absent"), testing::IsEmpty());
  EXPECT_THAT(in.string_pairs("table"),
              testing::ElementsAre(testing::Pair("z", "1"), testing::Pair("a", "2")));
  EXPECT_TRUE(in.ok());
  EXPECT_THAT(in.strings("mixed"), testing::IsEmpty());
  EXPECT_EQ(in.finish().error().message, "here.mixed: expected strings");
  ObjectReader other(value, "here");
  other.string_pairs("numbers");
  EXPECT_EQ(other.finish().error().message, "here.numbers: its values are strings");
}

TEST(Duration, TakesUnitsAndSeconds) {
  EXPECT_EQ(parse_duration_ms("250ms"), 250);
  EXPECT_EQ(parse_duration_ms("24h"), 86'400'000);
  EXPECT_EQ(parse_duration_ms("90"), 90'000);
  for (const char* text : {"", "h", "-1s", "1y", "1.5h", "99999999999999d"}) {
    EXPECT_FALSE(parse_duration_ms(text)) << text;
  }
}

}  // namespace
}  // namespace perdure
