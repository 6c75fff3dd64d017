#include "schema/schema.h"

#include <fmt/core.h>
#include <gtest/gtest.h>

#include "schema/pattern.h"

namespace perdure {
namespace {

std::string repeated(std::string_view piece, size_t times) {
  std::string out;
  for (size_t i = 0; i < times; ++i) out += piece;
  return out;
}

std::string verdict(std::string_view schema, std::string_view value) {
  const Status status = check_text(schema, value, "the arguments");
  return status ? "valid" : status.error().message;
}

TEST(JsonSchemaWords, SayWhatWasExpectedWhereAndWhatStoodThere) {
  struct Case {
    std::string schema;
    std::string value;
    std::string said;
  };
  const std::vector<Case> cases = {
      {R"({"type":"string"})", "42", "the arguments: expected a string, found the number 42"},
      {R"({"type":["string","null"]})", "[1]",
       "the arguments: expected a string or null, found an array of 1 item"},
      {R"({"type":"integer"})", "1.5",
       "the arguments: expected a whole number, found the number 1.5"},
      {R"({"properties":{"a":{"items":{"minimum":3}}}})", R"({"a":[3,2]})",
       "/a/1: expected a number of at least 3, found the number 2"},
      {R"({"properties":{"a/b~c":false}})", R"({"a/b~c":1})",
       "/a~1b~0c: expected nothing: no value is allowed here, found the number 1"},
      {R"({"required":["order","usd"]})", R"({"order":1})",
       R"(the arguments: expected an object with the member "usd", found the object {"order":1})"},
      {R"({"properties":{"order":{}},"additionalProperties":false})", R"({"ordre":1})",
       R"(/ordre: expected no member of this name; did you mean "order"?, found the number 1)"},
      {R"({"enum":["low","high"]})", R"("medium")",
       R"(the arguments: expected one of "low", "high", found the string "medium")"},
      {R"({"const":{"a":1}})", "{}", R"(the arguments: expected {"a":1}, found an empty object)"},
      {R"({"minLength":2})", R"("é")",
       R"(the arguments: expected a string of at least 2 characters, found the string "é")"},
      {R"({"pattern":"^[a-z]+$"})", R"("A")",
       R"(the arguments: expected a string that matches the pattern "^[a-z]+$", found the string "A")"},
      {R"({"uniqueItems":true})", "[1,1.0]",
       "the arguments: expected an array without two equal items, found an array of 2 items"},
      {R"({"anyOf":[{"type":"string"},{"type":"object","properties":{"n":{"type":"integer"}}}]})",
       R"({"n":"x"})",
       "the arguments: expected one of 2 alternatives, and it is none; the nearest is number 2, "
       "where "
       "a whole number is expected at /n, found the object {\"n\":\"x\"}"},
      {R"({"oneOf":[{"type":"integer"},{"minimum":2}]})", "3",
       "the arguments: expected exactly one of 2 alternatives, and it is both number 1 and 2, "
       "found "
       "the number 3"},
      {R"({"not":{"type":"null"}})", "null",
       "the arguments: expected something that the schema does not exclude (\"not\"), found null"},
      {R"({"dependentRequired":{"a":["b"]}})", R"({"a":1})",
       R"(the arguments: expected an object with the member "b", since "a" is there, found the object {"a":1})"},
      {R"({"properties":{"a":{"type":"string"},"b":{"type":"string"}}})", R"({"a":1,"b":2})",
       "/a: expected a string, found the number 1\n/b: expected a string, found the number 2"},
  };
  for (const Case& each : cases)
    EXPECT_EQ(verdict(each.schema, each.value), each.said) << each.schema;
}

TEST(JsonSchemaWords, AreBoundedInNumberAndLength) {
  const auto schema = JsonSchema::compile(R"({"items":{"type":"integer","maximum":5}})", "schema");
  ASSERT_TRUE(schema);
  const std::string text = "[" + repeated("\"" + std::string(5000, 'x') + "\",", 100) + "1]";
  const auto problems = schema->check(*parse_json(text, "value"));
  ASSERT_TRUE(problems);
  EXPECT_EQ(problems->size(), JsonSchema::kProblemsMax);
  EXPECT_LT(in_words(*problems, "it").size(), 2000u);
  const std::string deep = "{\"" + std::string(3000, 'k') + "\":[1]}";
  const Status status = check_text(R"({"additionalProperties":{"items":false}})", deep, "it");
  ASSERT_FALSE(status);
  EXPECT_LT(status.error().message.size(), 800u);
}

TEST(JsonSchemaCompile, NamesThePlaceOfAMistake) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"[1]", "schema/: a schema is an object, true or false"},
      {R"({"type":"strnig"})", "schema/type: there is no type 'strnig'; did you mean 'string'?"},
      {R"({"properties":{"a/b":{"type":7}}})",
       "schema/properties/a~1b/type: expected an array of strings"},
      {R"({"properties":{"x":3}})", "schema/properties/x: a schema is an object, true or false"},
      {R"({"minLength":-1})", "schema/minLength: expected a whole number, not below 0"},
      {R"({"multipleOf":0})", "schema/multipleOf: expected a number above 0"},
      {R"({"required":true})", "schema/required: expected an array of strings"},
      {R"({"anyOf":[]})", "schema/anyOf: no value can satisfy an empty list"},
      {R"({"allOf":[{},{"pattern":"a(?=b)c"}]})",
       "schema/allOf/1/pattern: look-ahead cannot be matched in linear time and is not supported, "
       "at "
       "byte 1 of the pattern"},
      {R"({"patternProperties":{"(a)\\1":{}}})",
       "schema/patternProperties/(a)\\1: a back-reference cannot be matched in linear time and is "
       "not "
       "supported, at byte 3 of the pattern"},
      {R"({"pattern":"(("})",
       "schema/pattern: not a pattern that can be matched here: missing ): (?:(?:"},
      {R"({"$ref":"#/$defs/nobody"})",
       "schema/$ref: '#/$defs/nobody': there is nothing at '#/$defs/nobody'"},
      {R"({"$ref":"#name"})", "schema/$ref: '#name': there is no anchor 'name'"},
      {R"({"$ref":"https://example.com/a.json"})",
       "schema/$ref: 'https://example.com/a.json': there is no schema 'https://example.com/a.json' "
       "here, and none is fetched"},
      {R"({"$ref":5})", "schema/$ref: expected a reference, which is a string"},
      {R"({"$ref":"#"})",
       "schema/$ref: the schema refers to itself for the same value, without end"},
      {R"({"$defs":{"a":{"allOf":[{"$ref":"#/$defs/b"}]},"b":{"not":{"$ref":"#/$defs/a"}}},"$ref":"#/$defs/a"})",
       "without end"},
      {R"({"$defs":{"a":{"$id":"x:a"},"b":{"$id":"x:a"}}})",
       "schema/$defs/b/$id: 'x:a' is the $id of two schemas"},
      {R"({"$defs":{"a":{"$anchor":"n"},"b":{"$anchor":"n"}}})",
       "schema/$defs/b/$anchor: there are two anchors 'n'"},
  };
  for (const auto& [schema, said] : cases) {
    const auto compiled = JsonSchema::compile(schema, "schema");
    ASSERT_FALSE(compiled) << schema;
    EXPECT_NE(compiled.error().message.find(said), std::string::npos) << schema << "\n"
                                                                      << compiled.error().message;
  }
}

TEST(JsonSchemaCompile, ReadsWhatOlderDraftsWrote) {
  const std::vector<std::tuple<std::string, std::string, bool>> cases = {
      {R"({"definitions":{"n":{"type":"integer"}},"properties":{"a":{"$ref":"#/definitions/n"}}})",
       R"({"a":"x"})", false},
      {R"({"$schema":"http://json-schema.org/draft-07/schema#","type":"object"})", "{}", true},
      {R"({"items":[{"type":"integer"},{"type":"string"}],"additionalItems":false})", R"([1,"a"])",
       true},
      {R"({"items":[{"type":"integer"},{"type":"string"}],"additionalItems":false})",
       R"([1,"a",2])", false},
      {R"({"minimum":1,"exclusiveMinimum":true})", "1", false},
      {R"({"minimum":1,"exclusiveMinimum":false})", "1", true},
      {R"({"dependencies":{"a":["b"]}})", R"({"a":1})", false},
      {R"({"definitions":{"x":{"$id":"#x","type":"null"}},"$ref":"#x"})", "1", false},
      {R"({"components":{"schemas":{"x":{"type":"null"}}},"$ref":"#/components/schemas/x"})", "1",
       false},
      {R"({"type":"string","x-order":3,"nullable":true,"format":"email"})", R"("no address")",
       true},
  };
  for (const auto& [schema, value, valid] : cases) {
    EXPECT_EQ(verdict(schema, value) == "valid", valid)
        << schema << " " << value << " " << verdict(schema, value);
  }
}

// Each of these has no good answer; what counts is that there is one, soon.
TEST(JsonSchemaHostile, EndsWithAnErrorAndNotWithTheProcess) {
  std::string doubling = R"({"$defs":{"d0":{"type":"integer"})";
  for (int i = 1; i < 60; ++i) {
    doubling += fmt::format(
        R"(,"d{0}":{{"allOf":[{{"$ref":"#/$defs/d{1}"}},{{"$ref":"#/$defs/d{1}"}}]}})", i, i - 1);
  }
  doubling += R"(},"$ref":"#/$defs/d59"})";
  EXPECT_NE(verdict(doubling, "1").find("it takes too many steps"), std::string::npos);

  // Without end, but only a dynamic reference gets there.
  const std::string endless =
      R"({"$id":"x:1","$dynamicAnchor":"m","$ref":"x:2","$defs":{"t":{"$id":"x:2","$dynamicAnchor":"m","$dynamicRef":"#m"}}})";
  EXPECT_NE(verdict(endless, "1").find("nested too deeply"), std::string::npos);
  EXPECT_NE(verdict(R"({"if":true,"then":{"$ref":"#"}})", "1").find("nested too deeply"),
            std::string::npos);

  const std::string chain = "{" + repeated(R"("not":{)", 60) + repeated("}", 60) + "}";
  EXPECT_EQ(verdict(chain, "1"), "valid");
  json::value tall = json::object();
  for (int i = 0; i < 100'000; ++i) tall = json::object{{"not", std::move(tall)}};
  EXPECT_EQ(JsonSchema::compile(tall).error().code, Code::kTooLarge);
  json::value deep = json::array();
  for (int i = 0; i < 100'000; ++i) {
    json::array around;
    around.emplace_back(std::move(deep));
    deep = std::move(around);
  }
  for (const char* schema :
       {R"({"items":{"$ref":"#"}})", R"({"uniqueItems":true})", R"({"const":[[[]]]})"}) {
    const auto compiled = JsonSchema::compile(schema, "schema");
    ASSERT_TRUE(compiled) << compiled.error().message;
    const auto checked = compiled->check(deep);
    if (checked) EXPECT_TRUE(std::string(schema).find("const") != std::string::npos);
  }
  // Boost.JSON frees without recursion only what is not nested: take it apart.
  for (json::value* each : {&deep, &tall}) {
    while ((each->is_array() && !each->get_array().empty()) ||
           (each->is_object() && !each->get_object().empty())) {
      json::value inner = each->is_array() ? std::move(each->get_array().front())
                                           : std::move(each->get_object().begin()->value());
      *each = std::move(inner);
    }
  }
}

TEST(JsonSchemaHostile, NumbersAreExactAndBounded) {
  const std::vector<std::tuple<std::string, std::string, bool>> cases = {
      {R"({"multipleOf":1e-320})", "1e308", true},
      {R"({"multipleOf":3})", "1e308", false},
      {R"({"multipleOf":0.01})", "19.99", true},
      {R"({"multipleOf":0.01})", "19.999", false},
      {R"({"multipleOf":1e300})", "-9223372036854775808", false},
      {R"({"multipleOf":18446744073709551615})", "18446744073709551615", true},
      {R"({"maximum":9007199254740992})", "9007199254740993", false},
      {R"({"exclusiveMinimum":18446744073709551614})", "18446744073709551615", true},
      {R"({"const":1e0})", "1", true},
      {R"({"const":9007199254740993})", "9007199254740992.0", false},
      {R"({"minLength":1e300})", R"("x")", false},
      {R"({"maxItems":2.0})", "[1,2,3]", false},
      {R"({"enum":[-0.0]})", "0", true},
  };
  for (const auto& [schema, value, valid] : cases) {
    EXPECT_EQ(verdict(schema, value) == "valid", valid)
        << schema << " " << value << ": " << verdict(schema, value);
  }
}

TEST(JsonSchemaHostile, LargeValuesAreCheckedOrRefusedSoon) {
  const std::string many = "[" + repeated("0,", 300'000) + "0]";
  EXPECT_EQ(verdict(R"({"items":{"type":"integer"}})", many), "valid");
  EXPECT_NE(verdict(R"({"uniqueItems":true})", many), "valid");
  const std::string objects = "[" + repeated(R"({"a":1},)", 100'000) + R"({"a":2}])";
  EXPECT_NE(verdict(R"({"uniqueItems":true})", objects), "valid");
  const std::string text = "\"" + std::string(2'000'000, 'a') + "\"";
  EXPECT_NE(verdict(R"({"pattern":"^(a|b|ab)*[^x]{500}c$"})", text).find("too many steps"),
            std::string::npos);
  EXPECT_NE(verdict(R"({"pattern":"(x{1000}){1000}"})", "1").find("repetition"), std::string::npos)
      << verdict(R"({"pattern":"(x{1000}){1000}"})", "1");
}

TEST(JsonSchemaPattern, TranslatesWhatEcmaWritesOtherwise) {
  struct Case {
    std::string pattern;
    std::string yes;
    std::string no;
  };
  const std::vector<Case> cases = {
      {"^abc$", "abc", "abc\n"},
      {"^.$", "é", "\xe2\x80\xa8"},
      {R"(^\s$)", "\xc2\xa0", "x"},
      {R"(^[\S]$)", "x", "\xef\xbb\xbf"},
      {R"(^[\w-.]+$)", "a-b.c", "a b"},
      {R"(^\u00e9\x41\cA\0$)", std::string("éA\x01\0", 5), "x"},
      {R"(^\ud83d\ude00$)", "😀", "x"},
      {R"(^\u{1F600}$)", "😀", "x"},
      {"^[]$", "", "a"},
      {"[^]", "\n", ""},
      {"^(?<year>\\d{4})-(?:\\d\\d)$", "2026-11", "26-11"},
      {"^[[:a]+$", "[:a", "b"},
      {R"(^\p{Letter}\p{gc=Lu}\p{Script=Greek}$)", "éÉα", "1Éα"},
      {R"(^\$\{x\}\/\_?$)", "${x}/_", "x"},
      {R"(^{.*}$)", "{a}", "a"},
      {"[\\b]", "\b", "b"},
  };
  for (const Case& each : cases) {
    const auto pattern = schema::Pattern::compile(each.pattern);
    ASSERT_TRUE(pattern) << each.pattern << ": " << pattern.error().message;
    EXPECT_TRUE(pattern->matches(each.yes) || each.pattern == "^[]$") << each.pattern;
    EXPECT_FALSE(pattern->matches(each.no)) << each.pattern;
  }
  for (const char* refused : {"(?=a)",
                              "(?!a)",
                              "(?<=a)",
                              "(?<!a)",
                              "(a)\\1",
                              "\\k<a>",
                              "\\Z",
                              "\\a",
                              "(?i)a",
                              "(?P<a>b)",
                              "\\",
                              "[a",
                              "\\u12",
                              "\\ud800",
                              "\\x1",
                              "\\c1",
                              "\\p{Emoji_Presentation}",
                              "\\pL",
                              "a**",
                              "(",
                              "\\u{110000}",
                              "\\Qa\\E"}) {
    EXPECT_FALSE(schema::Pattern::compile(refused)) << refused;
  }
}

}  // namespace
}  // namespace perdure
