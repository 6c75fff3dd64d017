#include "base/mask.h"

#include <gtest/gtest.h>

#include "base/base64.h"
#include "base/json.h"
#include "base/text.h"

namespace perdure {
namespace {

constexpr std::string_view kSecret = "s3cr/t+\"\\ \xC3\xA4\xF0\x9F\x94\x91-0123456789";
const std::string kMark = "{{secret:pay}}";

Masker masker() {
  Masker masker;
  masker.add("pay", kSecret);
  return masker;
}

TEST(Base64, Rfc4648Vectors) {
  const std::pair<const char*, const char*> rows[] = {{"", ""},
                                                      {"f", "Zg=="},
                                                      {"fo", "Zm8="},
                                                      {"foo", "Zm9v"},
                                                      {"foob", "Zm9vYg=="},
                                                      {"fooba", "Zm9vYmE="},
                                                      {"foobar", "Zm9vYmFy"}};
  for (const auto& [bytes, text] : rows) EXPECT_EQ(to_base64(bytes), text);
  EXPECT_EQ(to_base64("\xFB\xFF\xFE"), "+//+");
  EXPECT_EQ(to_base64("\xFB\xFF\xFE", Base64::kUrl), "-__-");
}

TEST(Masker, FindsTheValueInEveryForm) {
  const std::string plain(kSecret);
  const std::string json_once = to_json(json::value(json::string(plain)));
  const std::string json_twice = to_json(json::value(json::string(json_once)));
  std::string hex_upper = to_hex(plain);
  for (char& c : hex_upper) c = static_cast<char>(std::toupper(c));
  const std::string rows[] = {
      plain,
      to_base64(plain),
      to_base64(plain, Base64::kUrl),
      to_hex(plain),
      hex_upper,
      json_once,
      json_twice,
      "s3cr%2Ft%2B%22%5C%20%C3%A4%F0%9F%94%91-0123456789",
      "s3cr%2ft%2b%22%5c%20%c3%a4%f0%9f%94%91-0123456789",
      "s3cr%2Ft%2B%22%5C+%C3%A4%F0%9F%94%91-0123456789",
      R"(s3cr\/t+\"\\ ä🔑-0123456789)",
      R"(s3cr/t+\"\\ \u00e4\ud83d\udd11-0123456789)",
      R"(s3cr/t+\"\\ \u00E4\uD83D\uDD11-0123456789)",
  };
  for (const std::string& row : rows) {
    const std::string masked = masker().mask("before " + row + " after");
    EXPECT_NE(masked.find(kMark), std::string::npos) << row << " gave " << masked;
    EXPECT_EQ(masked.find("23456789"), std::string::npos) << masked;
    EXPECT_EQ(masked.find("s3cr"), std::string::npos) << masked;
  }
}

TEST(Masker, FindsTheValueInsideALongerBase64) {
  for (const char* before : {"", "u", "us", "usr", "user:", "Basic user:"}) {
    for (const char* after : {"", "x", "xy", "xyz"}) {
      const std::string text = to_base64(before + std::string(kSecret) + after);
      const std::string masked = masker().mask(text);
      EXPECT_NE(masked.find(kMark), std::string::npos) << text;
      EXPECT_LE(masked.size() - kMark.size(), text.size() - kSecret.size()) << masked;
    }
  }
}

TEST(Masker, LeavesTheRestAsItIs) {
  EXPECT_EQ(masker().mask(""), "");
  EXPECT_EQ(masker().mask("nothing here"), "nothing here");
  const std::string twice = std::string(kSecret) + "," + std::string(kSecret);
  EXPECT_EQ(masker().mask("a" + twice + "b"), "a" + kMark + "," + kMark + "b");
  EXPECT_EQ(Masker().mask(twice), twice);
}

TEST(Masker, KeepsJsonReadable) {
  const json::value value = {{"echo", json::string(kSecret)}, {"n", 1}};
  const auto masked = parse_json(masker().mask(to_json(value)), "masked");
  ASSERT_TRUE(masked);
  EXPECT_EQ(*masked, (json::value{{"echo", kMark}, {"n", 1}}));
}

TEST(Masker, TheLongerOfTwoSecretsWins) {
  Masker both;
  both.add("short", "abcdefgh");
  both.add("long", "abcdefghijkl");
  EXPECT_EQ(both.mask("abcdefghijkl abcdefghij"), "{{secret:long}} {{secret:short}}ij");
}

TEST(Masker, ASecretThatWasCutInTwoIsDropped) {
  for (size_t size = 4; size < kSecret.size(); ++size) {
    EXPECT_EQ(masker().mask_cut("text " + std::string(kSecret.substr(0, size))), "text ") << size;
  }
  EXPECT_EQ(masker().mask_cut("text " + std::string(kSecret)), "text " + kMark);
  EXPECT_EQ(masker().mask_cut("text"), "text");
}

TEST(StreamMasker, FindsTheValueHoweverItIsCut) {
  const std::string json = to_json(json::value(json::string(kSecret)));
  const std::string text = "before " + std::string(kSecret) + ", " + to_base64(kSecret) + " and " +
                           json + " s3cr/t is none of it, s3";
  const Masker known = masker();
  for (size_t size = 1; size <= text.size(); ++size) {
    StreamMasker stream(known);
    std::string shown;
    for (size_t at = 0; at < text.size(); at += size) shown += stream.feed(text.substr(at, size));
    shown += stream.end();
    EXPECT_EQ(shown, known.mask(text)) << size;
  }
}

TEST(StreamMasker, HoldsBackNoMoreThanItMust) {
  const Masker known = masker();
  StreamMasker stream(known);
  EXPECT_EQ(stream.feed("plain text, s3c"), "plain text, ");
  EXPECT_EQ(stream.feed("ond "), "s3cond ");
  EXPECT_EQ(stream.feed(""), "");
  EXPECT_EQ(stream.feed("s3cr"), "");
  EXPECT_EQ(stream.end(), "s3cr");
  const Masker nothing;
  StreamMasker plain(nothing);
  EXPECT_EQ(plain.feed("s3c"), "s3c");
}

}  // namespace
}  // namespace perdure
