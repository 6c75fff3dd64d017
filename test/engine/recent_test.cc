#include "engine/recent.h"

#include <gtest/gtest.h>

namespace perdure::engine {
namespace {

Record record(Seq seq) {
  Record record;
  record.seq = seq;
  record.body = Noted{};
  return record;
}

std::vector<Seq> seqs(std::span<const Record> records) {
  std::vector<Seq> seqs;
  for (const Record& each : records) seqs.push_back(each.seq);
  return seqs;
}

TEST(Recent, GivesWhatIsHereOfARange) {
  Recent recent;
  EXPECT_TRUE(recent.between(1, 100).empty());
  for (Seq seq = 5; seq <= 9; ++seq) recent.add(record(seq));
  EXPECT_EQ(seqs(recent.between(6, 8)), (std::vector<Seq>{6, 7, 8}));
  EXPECT_EQ(seqs(recent.between(1, 5)), (std::vector<Seq>{5}));
  EXPECT_EQ(seqs(recent.between(9, 20)), (std::vector<Seq>{9}));
  EXPECT_TRUE(recent.between(1, 4).empty());
  EXPECT_TRUE(recent.between(10, 20).empty());
  EXPECT_TRUE(recent.between(8, 7).empty());
}

// However much is forgotten at once, and in whatever order it goes on.
TEST(Recent, ForgetsFromTheFront) {
  for (Seq step = 1; step <= 7; ++step) {
    Recent recent;
    Seq forgotten = 0;
    for (Seq seq = 1; seq <= 100; ++seq) {
      recent.add(record(seq));
      if (seq % step == 0) recent.forget_upto(forgotten = seq - seq / 3);
      const auto left = recent.between(1, seq);
      ASSERT_EQ(left.size(), seq - forgotten) << "step " << step << " seq " << seq;
      if (!left.empty()) {
        ASSERT_EQ(left.front().seq, forgotten + 1);
        ASSERT_EQ(left.back().seq, seq);
      }
      ASSERT_EQ(static_cast<Seq>(recent.end() - recent.begin()), seq - forgotten);
    }
    recent.forget_upto(1000);
    EXPECT_TRUE(recent.between(1, 1000).empty());
    recent.add(record(101));
    EXPECT_EQ(seqs(recent.between(1, 1000)), (std::vector<Seq>{101}));
  }
}

}  // namespace
}  // namespace perdure::engine
