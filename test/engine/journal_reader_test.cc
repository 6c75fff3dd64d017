#include "engine/journal_reader.h"

#include <gtest/gtest.h>

#include "world.h"

namespace perdure::test {
namespace {

// Its journals lack the frame that holds this record.
class HoledStore : public MemoryStore {
 public:
  using MemoryStore::MemoryStore;
  Result<std::vector<Frame>> frames(const TaskId& id, Seq from_seq, size_t max_bytes) override {
    TRY_ASSIGN(std::vector<Frame> frames, MemoryStore::frames(id, from_seq, max_bytes));
    std::erase_if(frames, [&](const Frame& frame) {
      return frame.first_seq <= missing && missing <= frame.last_seq();
    });
    return frames;
  }
  Seq missing = 0;
};

class JournalReaderTest : public testing::Test {
 protected:
  // Three frames: records 1 to 4, 5 to 8 and 9 to 11.
  JournalReaderTest() {
    task_ = world_.submit(R"({"script":[
      {"call":{"step":"a","tool":"read.a","args":{}}}, {"await":"a"},
      {"call":{"step":"b","tool":"read.b","args":{}}}, {"await":"b"}, {"complete":1}]})");
    for (const size_t call : {0, 1}) {
      world_.executor.answer(call, Outcome::kSucceeded);
      world_.pump();
    }
    store_ = std::make_unique<HoledStore>(world_.store->snapshot());
  }

  // The numbers of the records up to the end, or the first error.
  Result<std::vector<Seq>> read(Seq from) {
    engine::JournalReader journal(*store_, task_, from);
    std::vector<Seq> seqs;
    for (;;) {
      TRY_ASSIGN(const Record* record, journal.next());
      if (record == nullptr) return seqs;
      seqs.push_back(record->seq);
    }
  }

  TestWorld world_;
  TaskId task_;
  std::unique_ptr<HoledStore> store_;
};

TEST_F(JournalReaderTest, BeginsWithTheRecordThatIsAskedFor) {
  EXPECT_EQ(*read(1), (std::vector<Seq>{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11}));
  EXPECT_EQ(*read(7), (std::vector<Seq>{7, 8, 9, 10, 11})) << "in the middle of a frame";
  EXPECT_TRUE(read(12)->empty());
}

TEST_F(JournalReaderTest, NeverPassesOverAHole) {
  for (const Seq missing : {Seq{1}, Seq{5}}) {
    store_->missing = missing;
    const auto seqs = read(1);
    ASSERT_FALSE(seqs) << missing;
    EXPECT_EQ(seqs.error().code, Code::kCorrupt);
    EXPECT_TRUE(seqs.error().message.starts_with(task_.to_string())) << seqs.error().message;
  }
}

}  // namespace
}  // namespace perdure::test
