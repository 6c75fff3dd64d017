#include "runtime/trace_reader.h"

#include <gtest/gtest.h>

#include "adapters/memory/memory_store.h"

namespace perdure::runtime {
namespace {

// Tasks of three frames: created and planned, intended, settled; each settled one ends a span.
class TraceReaderTest : public testing::Test {
 protected:
  TaskId task(uint64_t number) { return TaskId::make(1000, number, number); }

  void append(const TaskId& id, std::vector<RecordBody> bodies) {
    auto& last = last_[id];
    std::vector<Record> records;
    for (RecordBody& body : bodies) {
      const Seq head = last.count == 0 ? 0 : last.last_seq();
      records.push_back({head + 1 + records.size(), 5000, std::move(body)});
    }
    Frame frame = encode_frame(id, store_.epoch(), last.chain, records);
    frame.pos = ++pos_;
    Batch batch;
    if (records.front().seq == 1) {
      batch.tasks.push_back({});
      batch.tasks.back().id = id;
      batch.tasks.back().tenant = "t";
    }
    batch.frames.push_back(frame);
    store_.commit(batch, [](const CommitResult& result) {
      ASSERT_EQ(result.kind, CommitResult::Kind::kDurable) << result.message;
    });
    last = frame;
  }
  void begin(const TaskId& id) {
    StepPlanned planned;
    planned.step = "s";
    planned.name = "tool";
    append(id, {TaskCreated{}, planned});
  }
  void call(const TaskId& id) {
    StepIntended intended;
    intended.step = "s";
    intended.attempt = 1;
    append(id, {intended});
    StepSettled settled;
    settled.step = "s";
    settled.outcome = Outcome::kInDoubt;
    append(id, {settled});
  }

  std::vector<std::string> ids(TraceReader& reader, size_t max_bytes = 1 << 20) {
    std::vector<std::string> found;
    for (;;) {
      auto batch = reader.next(max_bytes);
      EXPECT_TRUE(batch);
      if (!batch || batch->frames == 0) return found;
      for (const auto& span : batch->spans) found.push_back(span.span_id);
    }
  }

  MemoryStore store_{std::string(32, 's')};
  std::map<TaskId, Frame> last_;
  Pos pos_ = 0;
};

TEST_F(TraceReaderTest, GivesEachSpanOnceInTheOrderOfTheCommits) {
  for (uint64_t i : {1, 2, 3}) begin(task(i));
  for (uint64_t i : {3, 1, 2}) call(task(i));
  TraceReader all(store_, {}, 0);
  const auto expected = ids(all);
  EXPECT_EQ(expected.size(), 3u);
  EXPECT_TRUE(ids(all).empty());
  TraceReader piece_by_piece(store_, {}, 0);
  EXPECT_EQ(ids(piece_by_piece, 1), expected);
  call(task(2));
  EXPECT_EQ(ids(all).size(), 1u);
}

// After a restart, and when more tasks are open than are kept in memory.
TEST_F(TraceReaderTest, ReadsWhatItNeedsOfAJournalAgain) {
  for (uint64_t i : {1, 2, 3}) begin(task(i));
  const Pos before = pos_;
  for (uint64_t i : {3, 1, 2, 1, 3, 2}) call(task(i));
  TraceReader all(store_, {}, 0);
  const auto expected = ids(all);
  EXPECT_EQ(expected.size(), 6u);
  TraceReader later(store_, {}, before);
  EXPECT_EQ(ids(later), expected);
  TraceReader forgetful(store_, {}, 0, 1);
  EXPECT_EQ(ids(forgetful, 1), expected);
  TraceReader in_between(store_, {}, before + 1);  // behind an intent
  EXPECT_EQ(ids(in_between), expected);
}

TEST_F(TraceReaderTest, PassesOverWhatIsDamaged) {
  begin(task(1));
  begin(task(2));
  call(task(1));
  call(task(2));
  StoreRows rows = store_.snapshot();
  rows.frames[task(1)][0].body = "damaged";
  MemoryStore damaged(rows);
  TraceReader reader(damaged, {}, 0);
  const auto batch = reader.next(1 << 20);
  ASSERT_TRUE(batch) << batch.error().message;
  EXPECT_EQ(batch->spans.size(), 1u);
  EXPECT_EQ(batch->unreadable, 3u) << "the frame, and those that cannot be told without it";
  EXPECT_EQ(batch->upto, pos_);
}

}  // namespace
}  // namespace perdure::runtime
