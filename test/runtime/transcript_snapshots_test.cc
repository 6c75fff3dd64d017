// Transcripts that begin with a snapshot are those that are folded from the first record, at every
// record, and a snapshot that does not fit is as good as none.
#include <gtest/gtest.h>

#include "adapters/memory/memory_store.h"
#include "agent/builtin_tools.h"
#include "fakes/memory_blobs.h"
#include "fakes/memory_snapshots.h"
#include "journal/frame.h"
#include "runtime/transcripts.h"
#include "unit/agent/random_world.h"

namespace perdure::runtime {
namespace {

using Kind = TaskSnapshot::Kind;

class TranscriptSnapshotsTest : public testing::Test {
 protected:
  // A journal by chance, in frames of one to four records.
  void commit_journal(uint64_t seed) {
    test::RandomWorld world(seed);
    world.run();
    records_ = world.records();
    store_ = std::make_unique<MemoryStore>(std::string(32, 's'));
    snapshots_.rows.clear();
    TaskRow row;
    row.id = task_;
    row.tenant = "t";
    Sha256 chain;
    Pos pos = 0;
    for (size_t at = 0; at < records_.size();) {
      const size_t count = std::min(1 + (at * seed) % 4, records_.size() - at);
      Batch batch;
      batch.frames.push_back(
          encode_frame(task_, 1ULL << 32 | 1, chain, std::span(records_).subspan(at, count)));
      batch.frames.back().pos = ++pos;
      chain = batch.frames.back().chain;
      if (at == 0) batch.tasks.push_back(row);
      store_->commit(batch, [](const CommitResult& done) {
        ASSERT_EQ(done.kind, CommitResult::Kind::kDurable);
      });
      at += count;
    }
  }

  Transcript folded(Seq upto_seq) const {
    Transcript transcript(inline_rules(spec_));
    for (Seq seq = 1; seq <= upto_seq; ++seq) transcript.apply(records_[seq - 1]);
    return transcript;
  }

  // As a process finds it that has just started.
  Result<std::shared_ptr<const Transcript>> at(Seq seq, Snapshots* snapshots) {
    Transcripts transcripts(*store_, blobs_, snapshots, 10, 1 << 20);
    return transcripts.at(task_, "t", spec_, seq, {});
  }
  uint64_t write_snapshot(Seq upto_seq) {
    Transcripts transcripts(*store_, blobs_, &snapshots_, 10, 1 << 20);
    const auto written = transcripts.write_snapshot(task_, "t", spec_, upto_seq);
    EXPECT_TRUE(written) << written.error().message;
    return written.value_or(0);
  }
  void expect_folded(Seq seq) {
    const auto read = at(seq, &snapshots_);
    ASSERT_TRUE(read) << read.error().message;
    ASSERT_EQ((*read)->encode(), folded(seq).encode()) << "record " << seq;
    ASSERT_EQ((*read)->conversation_hash(), folded(seq).conversation_hash());
  }

  const AgentSpec spec_ = test::strict_agent();
  const TaskId task_ = TaskId::make(1, 2, 3);
  std::vector<Record> records_;
  std::unique_ptr<MemoryStore> store_;
  test::MemoryBlobs blobs_;
  test::MemorySnapshots snapshots_;
};

TEST_F(TranscriptSnapshotsTest, AtEveryRecordItIsTheOneThatWasFolded) {
  for (uint64_t seed = 1; seed <= 8; ++seed) {
    SCOPED_TRACE(seed);
    commit_journal(seed);
    for (Seq upto = 1; upto <= records_.size(); upto += 11) {
      write_snapshot(upto);  // each of the one before
      const auto row = snapshots_.rows.find({task_, Kind::kPlanner});
      if (row != snapshots_.rows.end()) ASSERT_LE(row->second.snapshot.seq, upto);
      for (Seq seq = 1; seq <= records_.size(); ++seq) {
        ASSERT_NO_FATAL_FAILURE(expect_folded(seq));
      }
    }
  }
  EXPECT_GT(snapshots_.found, 100u);
}

TEST_F(TranscriptSnapshotsTest, ItEndsWithAFrameAndGoesNoFurtherThanAsked) {
  commit_journal(4);
  const auto frames = store_->snapshot().frames.at(task_);
  for (Seq upto = 1; upto <= records_.size(); ++upto) {
    snapshots_.rows.clear();
    const uint64_t bytes = write_snapshot(upto);
    Seq end = 0;
    Sha256 chain;
    for (const Frame& frame : frames) {
      if (frame.last_seq() <= upto) end = frame.last_seq(), chain = frame.chain;
    }
    const auto row = snapshots_.rows.find({task_, Kind::kPlanner});
    ASSERT_EQ(row != snapshots_.rows.end(), end > 0) << upto;
    if (end == 0) continue;
    EXPECT_EQ(row->second.snapshot.seq, end);
    EXPECT_EQ(row->second.snapshot.chain, chain);
    EXPECT_EQ(row->second.snapshot.body.size(), bytes);
  }
}

TEST_F(TranscriptSnapshotsTest, OneThatDoesNotFitIsAsGoodAsNone) {
  using Change = std::function<void(TaskSnapshot&)>;
  const Change changes[] = {
      [](TaskSnapshot& s) { s.chain = sha256("another"); },
      [](TaskSnapshot& s) { ++s.format; },
      [](TaskSnapshot& s) { --s.seq; },
      [](TaskSnapshot& s) { s.seq += 1'000; },
      [](TaskSnapshot& s) { s.body = "nothing"; },
      [](TaskSnapshot& s) { s.body.pop_back(); },
  };
  for (const Change& change : changes) {
    SCOPED_TRACE(&change - changes);
    commit_journal(9);
    ASSERT_GT(write_snapshot(records_.size() / 2), 0u);
    auto& row = snapshots_.rows.at({task_, Kind::kPlanner});
    change(row.snapshot);
    row.digest = digest_of(row.snapshot);
    ASSERT_NO_FATAL_FAILURE(expect_folded(records_.size()));
    ASSERT_GT(write_snapshot(records_.size()), 0u) << "and the next one is made anew";
    ASSERT_NO_FATAL_FAILURE(expect_folded(records_.size()));
  }
}

}  // namespace
}  // namespace perdure::runtime
