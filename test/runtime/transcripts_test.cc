#include "runtime/transcripts.h"

#include <gtest/gtest.h>

#include "adapters/memory/memory_store.h"
#include "fakes/no_blobs.h"

namespace perdure::runtime {
namespace {

Record created(size_t input_bytes) {
  TaskCreated body;
  body.planner = "agent";
  body.input = Payload::of('"' + std::string(input_bytes, 'x') + '"');
  return {1, 1'000, body};
}

class TranscriptsTest : public testing::Test {
 protected:
  // Whether the task's transcript is at hand: the store has nothing of it.
  bool keeps(uint64_t task) {
    return transcripts_.at(TaskId::make(1, 2, task), "t", spec_, 1, {}).has_value();
  }
  void look(uint64_t task, size_t input_bytes) {
    const Record record = created(input_bytes);
    ASSERT_TRUE(transcripts_.at(TaskId::make(1, 2, task), "t", spec_, 1, {&record, 1}));
  }

  const AgentSpec spec_;
  MemoryStore store_{std::string(32, 's')};
  test::NoBlobs blobs_;
  Transcripts transcripts_{store_, blobs_, nullptr, 3, 250'000};
};

TEST_F(TranscriptsTest, KeepsNoMoreThanItMay) {
  look(1, 100'000);
  look(2, 100'000);
  EXPECT_TRUE(keeps(1) && keeps(2));
  look(3, 100'000);
  EXPECT_FALSE(keeps(1)) << "too many bytes";
  EXPECT_TRUE(keeps(2) && keeps(3));
  for (uint64_t task = 4; task <= 6; ++task) look(task, 10);
  EXPECT_FALSE(keeps(3)) << "too many tasks";
  EXPECT_TRUE(keeps(4) && keeps(5) && keeps(6));
}

TEST_F(TranscriptsTest, TheLastOneIsKeptWhateverItsSize) {
  look(1, 100);
  look(2, 1'000'000);
  EXPECT_FALSE(keeps(1));
  EXPECT_TRUE(keeps(2));
  look(3, 100);
  EXPECT_FALSE(keeps(2));
  EXPECT_TRUE(keeps(3));
}

}  // namespace
}  // namespace perdure::runtime
