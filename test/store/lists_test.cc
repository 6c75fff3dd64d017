// What every store must list, whatever it is made of: ports/store.h.
#include <gtest/gtest.h>

#include "base/text.h"
#include "ports/label.h"
#include "store/conformance.h"

namespace perdure::store_test {
namespace {

class Lists : public Conformance {};

TaskQuery of_tenant(const std::string& tenant) {
  TaskQuery query;
  query.tenant = tenant;
  return query;
}

InterruptRow interrupt(const TaskId& task, Seq seq) {
  InterruptRow row;
  row.task = task;
  row.seq = seq;
  return row;
}

InterruptQuery asked(const std::string& tenant, std::optional<InterruptId> after = {},
                     size_t limit = 50) {
  InterruptQuery query;
  query.tenant = tenant;
  query.after = after;
  query.limit = limit;
  return query;
}

std::vector<TaskId> ids(const Result<std::vector<TaskRow>>& rows) {
  std::vector<TaskId> found;
  for (const TaskRow& row : rows.value()) found.push_back(row.id);
  return found;
}

TEST_P(Lists, TasksAreListedNewestFirst) {
  for (const uint64_t i : {1, 5, 3, 4, 6}) create(task_id(i), i == 4 ? "other" : "acme");
  Batch batch = creation(task_id(2), "acme", next_pos(), store().epoch());
  batch.tasks[0].status = TaskStatus::kInputRequired;
  expect_durable(std::move(batch));

  TaskQuery query = of_tenant("acme");
  EXPECT_EQ(ids(store().tasks(query)),
            (std::vector{task_id(6), task_id(5), task_id(3), task_id(2), task_id(1)}));
  query.limit = 2;
  EXPECT_EQ(ids(store().tasks(query)), (std::vector{task_id(6), task_id(5)}));
  query.before = task_id(5);
  EXPECT_EQ(ids(store().tasks(query)), (std::vector{task_id(3), task_id(2)}));
  query.status = TaskStatus::kInputRequired;
  EXPECT_EQ(ids(store().tasks(query)), (std::vector{task_id(2)}));
  query.limit = 0;
  EXPECT_TRUE(ids(store().tasks(query)).empty());
  EXPECT_EQ(ids(store().tasks(of_tenant("other"))), (std::vector{task_id(4)}));
  EXPECT_TRUE(ids(store().tasks(of_tenant("nobody"))).empty());
}

TEST_P(Lists, TasksOfASessionAreListedNewestFirst) {
  for (uint64_t i = 1; i <= 6; ++i) {
    Batch batch = creation(task_id(i), i == 2 ? "other" : "acme", next_pos(), store().epoch());
    batch.tasks[0].session = i % 2 == 0 ? "chat" : i == 1 ? "chatter" : "";
    if (i == 6) batch.tasks[0].status = TaskStatus::kInputRequired;
    expect_durable(std::move(batch));
  }
  TaskQuery query = of_tenant("acme");
  query.session = "chat";
  EXPECT_EQ(ids(store().tasks(query)), (std::vector{task_id(6), task_id(4)}));
  EXPECT_EQ(store().tasks(query).value()[0].session, "chat");
  query.limit = 1;
  EXPECT_EQ(ids(store().tasks(query)), (std::vector{task_id(6)}));
  query.before = task_id(6);
  EXPECT_EQ(ids(store().tasks(query)), (std::vector{task_id(4)}));
  query.before.reset();
  query.status = TaskStatus::kInputRequired;
  EXPECT_EQ(ids(store().tasks(query)), (std::vector{task_id(6)}));
  query.session = "cha";
  EXPECT_TRUE(ids(store().tasks(query)).empty());
}

TEST_P(Lists, TimersAreSetClearedAndReadByDueTime) {
  const Frame one = create(task_id(1));
  const Frame two = create(task_id(2));
  Batch batch = step(one);
  batch.frames.push_back(step(two).frames[0]);
  batch.timers_set = {{task_id(1), "b", 20},
                      {task_id(1), "a", 20},
                      {task_id(2), "a", 10},
                      {task_id(2), "c", 30},
                      {task_id(2), "c", 31}};
  batch.timers_cleared = {{task_id(2), "nothing", 0}, {task_id(2), "a", 0}};
  const Frame next = batch.frames[0];
  expect_durable(std::move(batch));

  const auto listed = [&](int64_t until_ms, size_t limit) {
    std::string text;
    const auto rows = store().timers_due(until_ms, limit).value();
    for (const TimerRow& row : rows) {
      text += (row.task == task_id(1) ? "1" : "2") + row.timer + std::to_string(row.due_ms) + " ";
    }
    return text;
  };
  EXPECT_EQ(listed(9, 10), "");
  EXPECT_EQ(listed(10, 10), "2a10 ") << "set wins over cleared";
  EXPECT_EQ(listed(31, 10), "2a10 1a20 1b20 2c31 ");
  EXPECT_EQ(listed(31, 2), "2a10 1a20 ");
  EXPECT_EQ(listed(31, 0), "");

  Batch clear = step(next);
  clear.timers_cleared = {{task_id(1), "a", 0}, {task_id(2), "c", 0}};
  clear.timers_set = {{task_id(1), "b", -5}};
  expect_durable(std::move(clear));
  EXPECT_EQ(listed(INT64_MAX, 10), "1b-5 2a10 ");
}

TEST_P(Lists, InterruptsAreOpenedClosedAndListed) {
  const Frame one = create(task_id(1));
  create(task_id(2));
  create(task_id(3), "other");
  Batch batch = step(one);
  batch.interrupts_opened = {
      {task_id(2), 2, "acme", InterruptReason::kBudgetReached, 1},
      {task_id(1), 300, "acme", InterruptReason::kAuthRequired, 7},
      {task_id(1), 3, "acme", InterruptReason::kQuestion, 9},
      {task_id(1), 4, "acme", InterruptReason::kQuestion, 9},
      {task_id(3), 1, "other", InterruptReason::kToolApproval, 3},
  };
  batch.interrupts_closed = {interrupt(task_id(1), 4), interrupt(task_id(9), 4)};
  expect_durable(std::move(batch));

  auto open = store().interrupts(asked("acme")).value();
  ASSERT_EQ(open.size(), 3u);
  EXPECT_EQ(open[0].task, task_id(1));
  EXPECT_EQ(open[0].seq, 3u);
  EXPECT_EQ(open[0].tenant, "acme");
  EXPECT_EQ(open[0].reason, InterruptReason::kQuestion);
  EXPECT_EQ(open[0].created_ms, 9);
  EXPECT_EQ(open[1].seq, 300u);
  EXPECT_EQ(open[2].task, task_id(2));
  open = store().interrupts(asked("acme", InterruptId{task_id(1), 3}, 1)).value();
  ASSERT_EQ(open.size(), 1u);
  EXPECT_EQ(open[0].seq, 300u);
  EXPECT_TRUE(store().interrupts(asked("acme", InterruptId{task_id(2), 2})).value().empty());
  EXPECT_EQ(store().interrupts(asked("other", InterruptId{task_id(1), 3})).value().size(), 1u);
}

TEST_P(Lists, QuestionsAreFoundByWhoIsAskedAndByTheirTask) {
  for (const uint64_t i : {1, 2, 3}) create(task_id(i));
  create(task_id(4), "other");
  const auto question = [](uint64_t task, Seq seq, std::vector<std::string> assignees,
                           std::string shown = "shown") {
    InterruptRow row = interrupt(task_id(task), seq);
    row.tenant = task == 4 ? "other" : "acme";
    row.assignees = std::move(assignees);
    row.shown = std::move(shown);
    return row;
  };
  Batch batch;
  batch.interrupts_opened = {
      question(1, 2, {"ann", "bob"}), question(1, 5, {"bob"}), question(2, 2, {}),
      question(3, 2, {"ann"}),        question(3, 4, {}, ""),  question(4, 2, {"ann"})};
  expect_durable(std::move(batch));
  const auto found = [&](const InterruptQuery& query) {
    std::vector<std::pair<TaskId, Seq>> out;
    const auto rows = store().interrupts(query);
    for (const InterruptRow& row : rows.value()) {
      out.emplace_back(row.task, row.seq);
    }
    return out;
  };
  using Found = std::vector<std::pair<TaskId, Seq>>;
  const auto of = [](const std::string& tenant, std::optional<std::string> assignee,
                     std::optional<TaskId> task) {
    InterruptQuery query = asked(tenant);
    query.assignee = std::move(assignee);
    query.task = task;
    return query;
  };
  InterruptQuery ann = asked("acme");
  ann.assignee = "ann";
  EXPECT_EQ(found(ann), (Found{{task_id(1), 2}, {task_id(3), 2}, {task_id(3), 4}}))
      << "and of the older row nobody knows";
  ann.limit = 2;
  EXPECT_EQ(found(ann), (Found{{task_id(1), 2}, {task_id(3), 2}}));
  ann.after = InterruptId{task_id(3), 2};
  EXPECT_EQ(found(ann), (Found{{task_id(3), 4}}));
  EXPECT_EQ(found(of("acme", "nobody", {})), (Found{{task_id(3), 4}}));
  EXPECT_EQ(found(of("acme", {}, task_id(1))), (Found{{task_id(1), 2}, {task_id(1), 5}}));
  EXPECT_EQ(found(of("acme", "ann", task_id(1))), (Found{{task_id(1), 2}}));
  EXPECT_EQ(found(of("other", {}, task_id(1))), Found());

  Batch changed;  // escalated to ann; and decided
  changed.interrupts_opened = {question(1, 5, {"bob", "ann"})};
  changed.interrupts_closed = {interrupt(task_id(1), 2)};
  expect_durable(std::move(changed));
  EXPECT_EQ(found(of("acme", "bob", {})), (Found{{task_id(1), 5}, {task_id(3), 4}}));
  EXPECT_EQ(found(of("acme", "ann", {})),
            (Found{{task_id(1), 5}, {task_id(3), 2}, {task_id(3), 4}}));
}

TEST_P(Lists, TasksAreFoundByTheirMetadata) {
  const char* const metadata[] = {"{}",
                                  R"({"who":"ann","n":3})",
                                  R"({"who":"bob"})",
                                  R"({"n":"3","who":"ann"})",
                                  R"({"who":"ann","deep":{"x":0.5}})",
                                  R"({"vip":true,"who":"ann"})"};
  for (uint64_t i = 1; i <= 5; ++i) {
    Batch batch = creation(task_id(i), i == 5 ? "other" : "acme", next_pos(), store().epoch());
    batch.tasks[0].metadata = metadata[i];
    batch.tasks[0].session = i == 1 ? "chat" : "";
    expect_durable(std::move(batch));
  }
  TaskQuery query = of_tenant("acme");
  query.label = label_of("who", "ann");
  EXPECT_EQ(ids(store().tasks(query)), (std::vector{task_id(4), task_id(3), task_id(1)}));
  query.limit = 1;
  query.before = task_id(4);
  EXPECT_EQ(ids(store().tasks(query)), (std::vector{task_id(3)}));
  query = of_tenant("acme");
  query.label = label_of("n", "3");
  EXPECT_EQ(ids(store().tasks(query)), (std::vector{task_id(3), task_id(1)}));
  query.session = "chat";
  EXPECT_EQ(ids(store().tasks(query)), (std::vector{task_id(1)}));
  query.status = TaskStatus::kCompleted;
  EXPECT_TRUE(ids(store().tasks(query)).empty());
  query = of_tenant("acme");
  query.label = label_of("deep", R"({"x":0.5})");
  EXPECT_EQ(ids(store().tasks(query)), (std::vector{task_id(4)}));
  query.label = label_of("vip", "true");
  EXPECT_TRUE(ids(store().tasks(query)).empty()) << "of another tenant";
}

TEST_P(Lists, RunnableTasksAreListedInOrder) {
  for (uint64_t i = 5; i >= 1; --i) create(task_id(i));
  Batch batch;
  for (const uint64_t i : {2, 4}) {
    TaskRow row = task_row(task_id(i), "acme", 2);
    row.runnable = false;
    batch.tasks.push_back(row);
  }
  expect_durable(std::move(batch));
  EXPECT_EQ(store().runnable(std::nullopt, 10).value(),
            (std::vector{task_id(1), task_id(3), task_id(5)}));
  EXPECT_EQ(store().runnable(std::nullopt, 2).value(), (std::vector{task_id(1), task_id(3)}));
  EXPECT_EQ(store().runnable(task_id(1), 1).value(), (std::vector{task_id(3)}));
  EXPECT_EQ(store().runnable(task_id(2), 10).value(), (std::vector{task_id(3), task_id(5)}));
  EXPECT_TRUE(store().runnable(task_id(5), 10).value().empty());
}

TEST_P(Lists, FramesOfAllTasksComeInTheOrderOfTheirCommits) {
  const Frame one = create(task_id(2));
  const Frame other = create(task_id(1), "other");
  Batch batch = step(one, 3);
  const Frame two = batch.frames[0];
  expect_durable(std::move(batch));
  const auto positions = [&](Pos after, size_t max_bytes) {
    std::vector<Pos> found;
    const auto frames = store().frames_after(after, max_bytes).value();
    for (const Frame& frame : frames) found.push_back(frame.pos);
    return found;
  };
  EXPECT_EQ(positions(0, 1 << 20), (std::vector{one.pos, other.pos, two.pos}));
  EXPECT_EQ(positions(one.pos, 1 << 20), (std::vector{other.pos, two.pos}));
  EXPECT_EQ(positions(two.pos, 1 << 20), std::vector<Pos>{});
  EXPECT_EQ(positions(0, 1), std::vector{one.pos}) << "one at least";
  EXPECT_EQ(positions(0, one.body.size() + other.body.size()), (std::vector{one.pos, other.pos}));
  const auto frames = store().frames_after(other.pos, 1).value();
  EXPECT_EQ(frames[0].task, task_id(2));
  EXPECT_EQ(frames[0].first_seq, 3u);
  EXPECT_EQ(frames[0].count, 3u);
  EXPECT_TRUE(verify_frame(frames[0], one.chain));
}

TEST_P(Lists, WhatIsOpenIsCounted) {
  EXPECT_TRUE(store().counts(0).value().tasks.empty());
  for (const uint64_t i : {1, 2, 3, 4, 5}) create(task_id(i), i == 3 ? "other" : "acme");
  Batch batch;
  const TaskStatus statuses[] = {TaskStatus::kWorking, TaskStatus::kInputRequired,
                                 TaskStatus::kInputRequired, TaskStatus::kCompleted,
                                 TaskStatus::kCancelled};
  for (uint64_t i = 1; i <= 5; ++i) {
    batch.tasks.push_back(task_row(task_id(i), i == 3 ? "other" : "acme", 2));
    batch.tasks.back().status = statuses[i - 1];
  }
  batch.timers_set = {{task_id(1), "a", 10}, {task_id(1), "b", 20}, {task_id(2), "a", 30}};
  batch.interrupts_opened = {{task_id(2), 1, "acme", InterruptReason::kQuestion, 1},
                             {task_id(3), 1, "other", InterruptReason::kQuestion, 1},
                             {task_id(3), 2, "other", InterruptReason::kToolApproval, 1}};
  expect_durable(std::move(batch));
  const StoreCounts counts = store().counts(20).value();
  EXPECT_EQ(counts.tasks, (std::map<TaskStatus, uint64_t>{{TaskStatus::kWorking, 1},
                                                          {TaskStatus::kInputRequired, 2}}));
  EXPECT_EQ(counts.interrupts,
            (std::map<InterruptReason, uint64_t>{{InterruptReason::kQuestion, 2},
                                                 {InterruptReason::kToolApproval, 1}}));
  EXPECT_EQ(counts.timers, 3u);
  EXPECT_EQ(counts.timers_due, 2u);
}

TEST_P(Lists, RowsOfNoTaskAreKeptReplacedAndRemoved) {
  Batch batch;  // without a frame
  batch.kept = {{"agent", "acme", "b", "1"},     {"agent", "acme", "a", "2"},
                {"agent", "", "of nobody", "3"}, {"key", "acme", "a", "4"},
                {"agent", "other", "a", "5"},    {"agent", "acme", "gone", "6"}};
  expect_durable(std::move(batch));
  const auto listed = [&](const std::string& kind, std::optional<KeptRow> after, size_t limit) {
    std::string text;
    const auto rows = store().kept(kind, after, limit);
    for (const KeptRow& row : rows.value()) {
      EXPECT_EQ(row.kind, kind);
      text += row.tenant + "/" + row.name + "=" + row.value + " ";
    }
    return text;
  };
  EXPECT_EQ(listed("agent", {}, 10), "/of nobody=3 acme/a=2 acme/b=1 acme/gone=6 other/a=5 ");
  EXPECT_EQ(listed("agent", {}, 2), "/of nobody=3 acme/a=2 ");
  EXPECT_EQ(listed("agent", KeptRow{"", "acme", "a", ""}, 2), "acme/b=1 acme/gone=6 ");
  EXPECT_EQ(listed("agent", KeptRow{"", "acme", "zzz", ""}, 2), "other/a=5 ");
  EXPECT_EQ(listed("key", {}, 10), "acme/a=4 ");
  EXPECT_EQ(listed("nothing", {}, 10), "");

  // With the frames of a task, in order; a removal of what is not there is none.
  batch = creation(task_id(1), "acme", next_pos(), store().epoch());
  batch.kept = {{"agent", "acme", "a", "new"},
                {"agent", "acme", "gone", ""},
                {"agent", "acme", "b", ""},
                {"agent", "acme", "b", "again"},
                {"agent", "acme", "none", ""}};
  expect_durable(std::move(batch));
  EXPECT_EQ(listed("agent", {}, 10), "/of nobody=3 acme/a=new acme/b=again other/a=5 ");
  batch = creation(task_id(1), "acme", next_pos(), store().epoch());
  batch.kept = {{"agent", "acme", "a", "of a refused batch"}};
  expect_refused(std::move(batch), {task_id(1)});
}

INSTANTIATE_TEST_SUITE_P(Stores, Lists, testing::ValuesIn(kinds(Sync::kOn)),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace perdure::store_test
