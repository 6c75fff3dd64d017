#include "journal/frame.h"

#include <gtest/gtest.h>

namespace perdure {
namespace {

std::vector<Record> sample() {
  StepPlanned planned;
  planned.step = "1/0";
  planned.name = "payments";
  planned.contract.effect = EffectClass::kIdempotent;
  planned.args = Payload::of(R"({"order":42})");
  StepSettled settled;
  settled.step = "1/0";
  settled.attempt = 1;
  settled.outcome = Outcome::kSucceeded;
  settled.used = Usage{.cost_micro_usd = 12, .model_calls = 1};
  settled.result = Payload::of("done");
  return {{7, 1000, planned}, {8, 1003, settled}};
}

TEST(Frame, KeepsRecordsAndPayloads) {
  const Frame frame = encode_frame(TaskId::make(1, 2, 3), 5, Sha256{}, sample());
  EXPECT_TRUE(verify_frame(frame, Sha256{}));
  const auto records = decode_frame(frame);
  ASSERT_TRUE(records) << records.error().message;
  ASSERT_EQ(records->size(), 2u);
  const auto& settled = std::get<StepSettled>((*records)[1].body);
  EXPECT_EQ((*records)[1].at_ms, 1003);
  EXPECT_EQ(settled.result.view(), "done");
  EXPECT_EQ(settled.used->cost_micro_usd, 12);
}

TEST(Frame, EveryFlippedBitIsSeen) {
  const Frame good = encode_frame(TaskId::make(1, 2, 3), 5, Sha256{}, sample());
  for (size_t bit = 0; bit < good.body.size() * 8; ++bit) {
    Frame bad = good;
    bad.body[bit / 8] = static_cast<char>(bad.body[bit / 8] ^ (1 << bit % 8));
    EXPECT_FALSE(verify_frame(bad, Sha256{})) << "bit " << bit;
  }
}

TEST(Frame, EveryCutIsSeen) {
  const Frame good = encode_frame(TaskId::make(1, 2, 3), 5, Sha256{}, sample());
  for (size_t size = 0; size < good.body.size(); ++size) {
    Frame bad = good;
    bad.body.resize(size);
    EXPECT_FALSE(verify_frame(bad, Sha256{})) << size;
  }
}

TEST(Frame, ChainHoldsItsPlace) {
  const Frame frame = encode_frame(TaskId::make(1, 2, 3), 5, Sha256{}, sample());
  EXPECT_FALSE(verify_frame(frame, sha256("another frame")));
  Frame moved = frame;
  moved.first_seq = 6;
  EXPECT_FALSE(verify_frame(moved, Sha256{}));
}

TEST(Record, ImpossibleTimesAreDamage) {
  for (const int64_t at_ms : {INT64_MIN, int64_t{-1}, int64_t{253'402'300'800'000}, INT64_MAX}) {
    EXPECT_EQ(decode_record(encode_record({1, at_ms, Noted{}})).error().code, Code::kCorrupt);
  }
  EXPECT_TRUE(decode_record(encode_record({1, 253'402'300'799'999, Noted{}})));
}

TEST(Record, AbsentHashesHaveOneForm) {
  StepPlanned planned;
  planned.identity.bytes.fill(0xAB);
  std::string bytes = encode_record({1, 0, planned});
  ASSERT_TRUE(decode_record(bytes));
  bytes.replace(bytes.find(std::string(32, '\xAB')), 32, std::string(32, '\0'));
  EXPECT_EQ(decode_record(bytes).error().code, Code::kCorrupt);
}

TEST(Record, UnknownTypesAndVersionsAreNamed) {
  std::string bytes = encode_record({1, 0, Noted{}});
  bytes[0] = 19;
  EXPECT_EQ(decode_record(bytes).error().code, Code::kUnsupported);
  bytes[0] = 18;
  bytes[1] = 2;
  EXPECT_EQ(decode_record(bytes).error().code, Code::kUnsupported);
}

}  // namespace
}  // namespace perdure
