// What every store must do, whatever it is made of: ports/store.h. Commits, and what is read back
// of one task.
#include "store/conformance.h"

#include <gtest/gtest.h>

#include "base/text.h"

namespace perdure::store_test {
namespace {

std::vector<Seq> first_seqs(const Result<std::vector<Frame>>& frames) {
  std::vector<Seq> seqs;
  for (const Frame& frame : frames.value()) seqs.push_back(frame.first_seq);
  return seqs;
}

TaskQuery of_tenant(const std::string& tenant) {
  TaskQuery query;
  query.tenant = tenant;
  return query;
}

TEST_P(Conformance, ANewStoreIsEmpty) {
  EXPECT_EQ(store().last_pos(), 0u);
  EXPECT_EQ(store().epoch(), (uint64_t{1} << 32) | 1);
  EXPECT_EQ(store().secret().size(), 32u);
  EXPECT_EQ(store().task(task_id(1)).value(), std::nullopt);
  EXPECT_TRUE(store().frames(task_id(1), 1, 100).value().empty());
  EXPECT_TRUE(store().tasks(of_tenant("acme")).value().empty());
  EXPECT_EQ(store().idempotency("acme", "r", "k").value(), std::nullopt);
  EXPECT_TRUE(store().interrupts(InterruptQuery{"acme", {}, {}, {}, 10}).value().empty());
  EXPECT_TRUE(store().timers_due(INT64_MAX, 10).value().empty());
  EXPECT_TRUE(store().runnable(std::nullopt, 10).value().empty());
  EXPECT_TRUE(store().kept("agent", std::nullopt, 10).value().empty());
}

TEST_P(Conformance, FramesComeBackAsTheyWere) {
  const Frame first = create(task_id(1));
  Batch batch = step(first, 3, std::string("zero \0 byte", 11));
  const Frame second = batch.frames[0];
  expect_durable(std::move(batch));
  const auto frames = store().frames(task_id(1), 1, 1 << 20).value();
  ASSERT_EQ(frames.size(), 2u);
  EXPECT_EQ(frames[1].pos, second.pos);
  EXPECT_EQ(frames[1].task, second.task);
  EXPECT_EQ(frames[1].first_seq, 3u);
  EXPECT_EQ(frames[1].count, 3u);
  EXPECT_EQ(frames[1].epoch, store().epoch());
  EXPECT_EQ(frames[1].body, second.body);
  EXPECT_TRUE(verify_frame(frames[0], Sha256{}));
  EXPECT_TRUE(verify_frame(frames[1], frames[0].chain));
}

TEST_P(Conformance, FramesAreReadFromTheOneThatHoldsTheRecord) {
  Frame last = create(task_id(1));  // 1, 2
  create(task_id(2));
  for (int i = 0; i < 3; ++i) {  // 3-5, 6-8, 9-11
    Batch batch = step(last, 3);
    last = batch.frames[0];
    expect_durable(std::move(batch));
  }
  const size_t all = 1 << 20;
  EXPECT_EQ(first_seqs(store().frames(task_id(1), 0, all)), (std::vector<Seq>{1, 3, 6, 9}));
  EXPECT_EQ(first_seqs(store().frames(task_id(1), 2, all)), (std::vector<Seq>{1, 3, 6, 9}));
  EXPECT_EQ(first_seqs(store().frames(task_id(1), 3, all)), (std::vector<Seq>{3, 6, 9}));
  EXPECT_EQ(first_seqs(store().frames(task_id(1), 8, all)), (std::vector<Seq>{6, 9}));
  EXPECT_EQ(first_seqs(store().frames(task_id(1), 11, all)), (std::vector<Seq>{9}));
  EXPECT_TRUE(store().frames(task_id(1), 12, all).value().empty());
}

TEST_P(Conformance, FramesStopAtTheWantedSize) {
  Frame last = create(task_id(1));
  std::vector<size_t> sizes{last.body.size()};
  for (int i = 0; i < 3; ++i) {
    Batch batch = step(last);
    last = batch.frames[0];
    sizes.push_back(last.body.size());
    expect_durable(std::move(batch));
  }
  EXPECT_EQ(store().frames(task_id(1), 1, 0).value().size(), 1u) << "at least one";
  EXPECT_EQ(store().frames(task_id(1), 1, sizes[0] + sizes[1]).value().size(), 2u);
  EXPECT_EQ(store().frames(task_id(1), 1, sizes[0] + sizes[1] - 1).value().size(), 1u);
  EXPECT_EQ(store().frames(task_id(1), 3, SIZE_MAX).value().size(), 3u);
}

TEST_P(Conformance, AFrameThatDoesNotFollowTheHeadIsRefused) {
  const Frame first = create(task_id(1));
  expect_refused(creation(task_id(1), "acme", next_pos(), store().epoch()), {task_id(1)});
  Batch gap = step(first);
  gap.frames[0].first_seq = 4;
  expect_refused(std::move(gap), {task_id(1)});
  Batch unknown;  // a task without a frame must begin at 1
  unknown.frames.push_back(frame_after(&first, task_id(7), next_pos(), store().epoch(), 1, "x"));
  unknown.tasks.push_back(task_row(task_id(7), "acme", 3));
  expect_refused(std::move(unknown), {task_id(7)});
  expect_durable(step(first));
}

TEST_P(Conformance, AStaleEpochIsRefused) {
  const Epoch old = store().epoch();
  const Frame first = create(task_id(1));
  open_->reopen();
  EXPECT_EQ(store().epoch(), old + (uint64_t{1} << 32));
  EXPECT_EQ(store().last_pos(), pos_);
  Batch before;  // nobody has written with the new epoch: the old one still follows
  before.frames.push_back(frame_after(&first, task_id(1), next_pos(), old, 1, "late"));
  const Frame late = before.frames[0];
  expect_durable(std::move(before));
  Batch mine = step(late);
  const Frame taken = mine.frames[0];
  expect_durable(std::move(mine));
  Batch stale;
  stale.frames.push_back(frame_after(&taken, task_id(1), next_pos(), old, 1, "too late"));
  expect_refused(std::move(stale), {task_id(1)});
}

TEST_P(Conformance, ARefusedBatchNamesEachTaskOnceAndTheRestMayBeCommittedAgain) {
  const Frame one = create(task_id(1));
  const Frame two = create(task_id(2));
  const Frame three = create(task_id(3));
  IdempotencyRow taken{"acme", "POST /v1/tasks", "k1", sha256("a"), task_id(1), 5};
  Batch first = step(one);
  first.idempotency.push_back(taken);
  expect_durable(std::move(first));

  Batch mixed = step(one);  // the head has moved on
  mixed.frames.push_back(step(two).frames[0]);
  mixed.frames.push_back(step(three).frames[0]);
  mixed.tasks.push_back(task_row(task_id(2), "acme", 3));
  mixed.timers_set.push_back({task_id(2), "t", 7});
  taken.task = task_id(3);
  mixed.idempotency.push_back(taken);
  taken.task = task_id(1);
  mixed.idempotency.push_back(taken);
  expect_refused(mixed, {task_id(1), task_id(3)});

  Batch rest;
  rest.frames.push_back(mixed.frames[1]);
  rest.tasks = mixed.tasks;
  rest.timers_set = mixed.timers_set;
  expect_durable(std::move(rest));
  EXPECT_EQ(store().timers_due(7, 10).value().size(), 1u);
}

TEST_P(Conformance, AnIdempotencyKeyIsTakenOnce) {
  Batch batch = creation(task_id(1), "acme", next_pos(), store().epoch());
  batch.idempotency.push_back({"acme", "POST /v1/tasks", "k", sha256("body"), task_id(1), 42});
  expect_durable(std::move(batch));
  const auto row = store().idempotency("acme", "POST /v1/tasks", "k").value();
  ASSERT_TRUE(row);
  EXPECT_EQ(row->tenant, "acme");
  EXPECT_EQ(row->route, "POST /v1/tasks");
  EXPECT_EQ(row->key, "k");
  EXPECT_EQ(row->request_hash, sha256("body"));
  EXPECT_EQ(row->task, task_id(1));
  EXPECT_EQ(row->created_ms, 42);
  EXPECT_FALSE(store().idempotency("other", "POST /v1/tasks", "k").value());
  EXPECT_FALSE(store().idempotency("acme", "POST /v1/other", "k").value());
  EXPECT_FALSE(store().idempotency("acme", "POST /v1/tasks", "").value());

  Batch again = creation(task_id(2), "acme", next_pos(), store().epoch());
  again.idempotency.push_back({"acme", "POST /v1/tasks", "k", sha256("body"), task_id(2), 43});
  expect_refused(std::move(again), {task_id(2)});
  Batch twice = creation(task_id(3), "acme", next_pos(), store().epoch());
  twice.idempotency.push_back({"acme", "POST /v1/tasks", "j", sha256("body"), task_id(3), 43});
  twice.idempotency.push_back({"acme", "POST /v1/tasks", "j", sha256("body"), task_id(3), 43});
  expect_refused(std::move(twice), {task_id(3)});
  Batch other = creation(task_id(4), "other", next_pos(), store().epoch());
  other.idempotency.push_back({"other", "POST /v1/tasks", "k", sha256("body"), task_id(4), 44});
  expect_durable(std::move(other));
}

TEST_P(Conformance, ATaskRowIsReplacedWhole) {
  const Frame first = create(task_id(1));
  Batch batch = step(first);
  TaskRow row = task_row(task_id(1), "acme", 3);
  row.status = TaskStatus::kFailed;
  row.phase = Phase::kCancelling;
  row.runnable = false;
  row.waiting_for = R"([{"kind":"timer"}])";
  row.used = {.cost_micro_usd = 1,
              .model_calls = 2,
              .tool_calls = 3,
              .input_tokens = INT64_MAX,
              .output_tokens = 5};
  row.updated_ms = 99;
  row.ended_seq = 3;
  batch.tasks.push_back(row);
  expect_durable(std::move(batch));
  StoreRows expected = open_->rows();
  expected.tasks[task_id(1)] = row;
  EXPECT_EQ(dump(open_->rows()), dump(expected));
  expected.tasks[task_id(1)] = store().task(task_id(1)).value().value();
  EXPECT_EQ(dump(open_->rows()), dump(expected));
}

TEST_P(Conformance, ContainsKnowsWhoseFrameItIs) {
  const Frame first = create(task_id(1));
  EXPECT_TRUE(store().contains(first).value());
  Frame next = step(first).frames[0];
  EXPECT_FALSE(store().contains(next).value());
  Frame other = frame_after(nullptr, task_id(1), first.pos, first.epoch, 2, "another");
  EXPECT_FALSE(store().contains(other).value()) << "the same place, not the same bytes";
  other = first;
  other.epoch += 1;
  EXPECT_FALSE(store().contains(other).value());
  other = first;
  other.task = task_id(2);
  EXPECT_FALSE(store().contains(other).value());
}

TEST_P(Conformance, EverythingIsThereAfterReopening) {
  const Frame one = create(task_id(1));
  Batch batch = step(one, 2);
  const Frame two = batch.frames[0];
  batch.timers_set = {{task_id(1), "t", 5}};
  batch.interrupts_opened = {{task_id(1), 3, "acme", InterruptReason::kQuestion, 9}};
  batch.idempotency = {{"acme", "r", "k", sha256("x"), task_id(1), 8}};
  batch.kept = {{"agent", "acme", "a", "1"}};
  expect_durable(std::move(batch));
  const std::string before = dump(open_->rows());
  const std::string secret = store().secret();
  for (uint64_t incarnation = 2; incarnation <= 4; ++incarnation) {
    open_->reopen();
    EXPECT_EQ(dump(open_->rows()), before);
    EXPECT_EQ(store().secret(), secret);
    EXPECT_EQ(store().epoch(), incarnation << 32 | 1);
    EXPECT_EQ(store().last_pos(), 2u);
  }
  EXPECT_TRUE(store().contains(two).value());
  expect_durable(step(two));
}

TEST_P(Conformance, LargeBodiesAndManyFramesFitInOneCommit) {
  const Frame large =
      frame_after(nullptr, task_id(1), next_pos(), store().epoch(), 1, std::string(200'000, 'x'));
  Batch batch;
  batch.frames.push_back(large);
  batch.tasks.push_back(task_row(task_id(1), "acme", 1));
  for (uint64_t i = 2; i < 300; ++i) {
    batch.frames.push_back(frame_after(nullptr, task_id(i), next_pos(), store().epoch(), 1, "y"));
    batch.tasks.push_back(task_row(task_id(i), "acme", 1));
  }
  expect_durable(std::move(batch));
  EXPECT_EQ(store().frames(task_id(1), 1, 1).value().at(0).body, large.body);
  EXPECT_EQ(store().frames(task_id(299), 1, 1).value().size(), 1u);
}

INSTANTIATE_TEST_SUITE_P(Stores, Conformance, testing::ValuesIn(kinds(Sync::kOn)),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace perdure::store_test
