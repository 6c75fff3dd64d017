#include "base/id.h"

#include <gtest/gtest.h>

#include "base/hash.h"

namespace perdure {
namespace {

TEST(TaskId, KnowsWhenItWasMade) {
  for (const int64_t ms : {int64_t{0}, int64_t{1'764'000'000'123}, (int64_t{1} << 48) - 1}) {
    const TaskId id = TaskId::make(ms, ~uint64_t{0}, ~uint64_t{0});
    EXPECT_EQ(id.created_ms(), ms);
    EXPECT_EQ(TaskId::first_of(ms).created_ms(), ms);
  }
}

TEST(TaskId, NoneOfATimeIsSmallerThanTheFirst) {
  const int64_t ms = 1'764'000'000'123;
  EXPECT_LT(TaskId::first_of(ms), TaskId::make(ms, 0, 0));
  EXPECT_LT(TaskId::make(ms - 1, ~uint64_t{0}, ~uint64_t{0}), TaskId::first_of(ms));
}

TEST(TaskId, IsAUuidOfVersion7) {
  const Uuid id = new_uuid(0x0123456789ab, 0xffff, ~uint64_t{0});
  EXPECT_EQ(id, (Uuid{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0x7f, 0xff, 0xbf, 0xff, 0xff, 0xff, 0xff,
                      0xff, 0xff, 0xff}));
  EXPECT_EQ(TaskId::make(0x0123456789ab, 0xffff, ~uint64_t{0}).bytes, id);
}

TEST(Sha256Text, IsSixtyFourDigits) {
  const std::string digits = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
  EXPECT_EQ(parse_sha256(digits), sha256("abc"));
  for (const std::string& text :
       {std::string(), digits.substr(2), digits + "00", "x" + digits.substr(1)}) {
    EXPECT_FALSE(parse_sha256(text)) << text;
  }
}

}  // namespace
}  // namespace perdure
