// Payloads that stand elsewhere: in the blob store, or within another record.
#include "engine/payload_reader.h"

#include <gtest/gtest.h>

#include "engine/live.h"
#include "fakes/part_of_payload.h"
#include "journal/frame.h"
#include "world.h"

namespace perdure::test {
namespace {

const TaskId kTask = TaskId::make(1, 2, 3);
const std::string kWhole = R"({"outer":{"inner":"text"}})";
constexpr std::string_view kPart = R"({"inner":"text"})";
constexpr std::string_view kPartOfPart = R"("text")";

class PayloadReaderTest : public testing::Test {
 protected:
  void append(RecordBody body) {
    const Record record{++head_, 1'800'000'000'000, std::move(body)};
    Batch batch;
    batch.frames.push_back(encode_frame(kTask, store_.epoch(), chain_, std::span(&record, 1)));
    batch.frames.back().pos = head_;
    chain_ = batch.frames.back().chain;
    TaskRow& row = batch.tasks.emplace_back();
    row.id = kTask;
    row.tenant = "t";
    row.status = turns_ == 0 ? TaskStatus::kPending : TaskStatus::kWorking;
    row.created_ms = record.at_ms;
    row.head = head_;
    store_.commit(batch, [](const CommitResult& result) {
      ASSERT_EQ(result.kind, CommitResult::Kind::kDurable);
    });
  }
  void create(Payload input) {
    TaskCreated created;
    created.tenant = "t";
    created.input = std::move(input);
    append(std::move(created));
  }
  void turn(Payload state) {
    TurnAccepted accepted;
    accepted.turn = ++turns_;
    accepted.state = std::move(state);
    append(std::move(accepted));
  }
  Result<std::unique_ptr<engine::Live>> load() {
    Seq reached = 0;
    return engine::load({store_, blobs_, {}}, kTask, reached);
  }
  Payload blob(const std::string& bytes) {
    EXPECT_TRUE(blobs_.put("t", sha256(bytes), bytes));
    return Payload::blob(sha256(bytes), bytes.size());
  }

  MemoryStore store_{std::string(32, 's')};
  MemoryBlobs blobs_;
  Sha256 chain_;
  Seq head_ = 0;
  uint64_t turns_ = 0;
};

TEST_F(PayloadReaderTest, APartOfAPartHasItsBytes) {
  create(Payload::of(kWhole));
  turn(test::part_of_payload(1, kWhole.find(kPart), kPart));
  turn(test::part_of_payload(2, kPart.find(kPartOfPart), kPartOfPart));
  const auto live = load();
  ASSERT_TRUE(live) << live.error().message;
  EXPECT_EQ((*live)->task.state.turn.state.view(), kPartOfPart);
}

TEST_F(PayloadReaderTest, APartOfABlobHasItsBytes) {
  create(blob(kWhole));
  turn(test::part_of_payload(1, kWhole.find(kPart), kPart));
  const auto live = load();
  ASSERT_TRUE(live) << live.error().message;
  EXPECT_EQ((*live)->task.state.input.view(), kWhole);
  EXPECT_EQ((*live)->task.state.turn.state.view(), kPart);
}

TEST_F(PayloadReaderTest, WhatIsTooLargeHasNoBytesWhereverItStands) {
  create(blob(kWhole));
  engine::PayloadReader payloads(store_, blobs_, "t", kTask);
  for (Payload payload : {Payload::of(kWhole), blob(kWhole), test::part_of_payload(1, 0, kWhole)}) {
    ASSERT_TRUE(payloads.complete(payload, kWhole.size()));
    EXPECT_EQ(payload.view(), kWhole);
    ASSERT_TRUE(payloads.complete(payload, kWhole.size() - 1));
    EXPECT_EQ(payload.bytes, nullptr);
  }
}

// What a damaged or forged reference would bring is not what was recorded.
TEST_F(PayloadReaderTest, AReferenceThatDoesNotHoldIsDamage) {
  create(Payload::of(kWhole));
  turn({});
  turn(test::part_of_payload(3, 0, kWhole));  // itself
  const Payload table[] = {
      test::part_of_payload(9, 0, kWhole),                 // no such record
      test::part_of_payload(1, kWhole.size() + 1, kPart),  // behind its end
      test::part_of_payload(2, 0, kPart),                  // a record without bytes
      test::part_of_payload(3, 0, kWhole),                 // a part of itself
      test::part_of_payload(1, 1, kPart),                  // other bytes
  };
  engine::PayloadReader payloads(store_, blobs_, "t", kTask);
  for (Payload payload : table) {
    payload.bytes = nullptr;
    const Status read = payloads.complete(payload);
    ASSERT_FALSE(read) << payload.within_seq << " at " << payload.offset_bytes;
    EXPECT_EQ(read.error().code, Code::kCorrupt);
  }
}

}  // namespace
}  // namespace perdure::test
