#include "base/text.h"

#include <gtest/gtest.h>

#include "base/hash.h"
#include "base/id.h"

namespace perdure {
namespace {

TEST(Utf8, FollowsTheUnicodeTable) {
  for (const char* good : {"", "plain", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80"}) {
    EXPECT_TRUE(is_valid_utf8(good)) << good;
  }
  // A lone continuation, an overlong form, a surrogate, beyond U+10FFFF, a cut sequence.
  for (const char* bad : {"\x80", "\xc0\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xe2\x82"}) {
    EXPECT_FALSE(is_valid_utf8(bad));
  }
}

TEST(Rfc3339, WritesUtcMilliseconds) {
  EXPECT_EQ(to_rfc3339(0), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(to_rfc3339(1'795'231'890'125), "2026-11-21T03:31:30.125Z");
}

TEST(Ids, RoundTripAndRefuseOthers) {
  const TaskId id = TaskId::make(1'795'231'890'125, 0x1234, 0x5678);
  EXPECT_EQ(TaskId::parse(id.to_string()), id);
  const InterruptId interrupt{id, 77};
  EXPECT_EQ(InterruptId::parse(interrupt.to_string()), interrupt);
  for (const char* bad : {"", "task_", "task_0", "int_00000000000000000000000000"}) {
    EXPECT_FALSE(TaskId::parse(bad)) << bad;
  }
  // The last character has bits to spare: only one text names an id.
  std::string other = id.to_string();
  other.back() = other.back() == '1' ? '3' : '1';
  EXPECT_FALSE(TaskId::parse(other) == id);
}

TEST(Sha256, MatchesThePublishedVectors) {
  // FIPS 180-4 examples; RFC 4231 test case 2.
  EXPECT_EQ(to_hex(sha256("abc").view()),
            "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?").view()),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(NearestWord, FindsMisspellingsOnly) {
  EXPECT_EQ(nearest_word("horizn", {"effect", "horizon"}), "horizon");
  EXPECT_FALSE(nearest_word("zzzzzz", {"effect", "horizon"}));
  EXPECT_EQ(did_you_mean("horizn", {"effect", "horizon"}), "; did you mean 'horizon'?");
  EXPECT_EQ(did_you_mean("zzzzzz", {"effect", "horizon"}), "");
}

}  // namespace
}  // namespace perdure
