// Two stores are given the same random operations and must answer the same and hold the same, until
// every kind of operation has succeeded and every kind of refusal has been seen.
#include <fmt/core.h>
#include <gtest/gtest.h>

#include <array>
#include <functional>

#include "ports/label.h"
#include "store/kinds.h"
#include "store/random_world.h"
#include "store/replies.h"
#include "store/sample.h"

namespace perdure::store_test {
namespace {

constexpr int kStepsMin = 200;
constexpr int kStepsMax = 1500;

class Differential {
 public:
  Differential(uint64_t seed, OpenStore& left, OpenStore& right)
      : world_(seed), left_(left), right_(right) {}

  // The first difference, or nothing.
  std::string run() {
    for (step_ = 0; step_ < kStepsMax && difference_.empty(); ++step_) {
      if (step_ >= kStepsMin && met_everything()) break;
      if (world_.one_in(25)) reopen();
      write();
      compare("rows", dump(left_.rows()), dump(right_.rows()));
      for (int i = 0; i < 4; ++i) read();
    }
    if (difference_.empty() && !met_everything()) difference_ = "never met: " + missing();
    return difference_;
  }

  std::string counts() const {
    std::string out = fmt::format("{} steps", step_);
    for (size_t i = 0; i < met_.size(); ++i) {
      out += fmt::format(", {} {}", name_of(static_cast<Met>(i)), met_[i]);
    }
    return out;
  }

 private:
  void meet(Met met) { ++met_[static_cast<size_t>(met)]; }
  bool met_everything() const { return missing().empty(); }
  std::string missing() const {
    std::string out;
    for (size_t i = 0; i < met_.size(); ++i) {
      if (met_[i] == 0) out += fmt::format("{}; ", name_of(static_cast<Met>(i)));
    }
    return out;
  }

  void compare(std::string_view what, const std::string& left, const std::string& right) {
    if (left == right || !difference_.empty()) return;
    difference_ = fmt::format("step {}: {}\n--- left\n{}\n--- right\n{}", step_, what, left, right);
  }
  // The same question to both; the answer of the left one.
  template <class Ask>
  auto ask(std::string_view what, Ask question) {
    auto left = question(left_.store());
    compare(what, text(left), text(question(right_.store())));
    return left;
  }

  void reopen() {
    left_.reopen();
    right_.reopen();
    compare("epoch", std::to_string(left_.store().epoch()), std::to_string(right_.store().epoch()));
    compare("last_pos", std::to_string(left_.store().last_pos()),
            std::to_string(right_.store().last_pos()));
    meet(Met::kReopened);
  }

  void write() {
    const RandomWorld::Draw draw = world_.draw(left_.store().epoch());
    const CommitResult result = commit_both(draw.batch);
    if (result.kind == CommitResult::Kind::kDurable) {
      for (const Met met : draw.if_durable) meet(met);
      world_.remember(draw.batch);
    } else if (result.kind == CommitResult::Kind::kRefused) {
      for (const Met met : draw.if_refused) meet(met);
      if (result.refused.size() > 1) meet(Met::kRefusedSeveral);
      write_rest(RandomWorld::without(draw.batch, result.refused));
    }
  }
  void write_rest(const Batch& rest) {
    if (rest.empty()) return;
    if (commit_both(rest).kind != CommitResult::Kind::kDurable) return;
    world_.remember(rest);
    meet(Met::kRestCommittedAgain);
  }
  CommitResult commit_both(const Batch& batch) {
    return ask("commit", [&](Store& store) { return commit(store, batch); });
  }

  void read() {
    static constexpr std::array kReads = {&Differential::read_contains, &Differential::read_tasks,
                                          &Differential::read_frames,   &Differential::read_waiting,
                                          &Differential::read_timers,   &Differential::read_key,
                                          &Differential::read_all,      &Differential::read_kept};
    (this->*kReads[world_.below(kReads.size())])();
  }

  void read_contains() {
    const Frame* known = world_.any_frame();
    if (!known) return;
    Frame frame = *known;
    if (world_.one_in(3)) frame.chain.bytes[0] ^= 1;
    if (world_.one_in(4)) frame.epoch += 1;
    const auto answer = ask("contains", [&](Store& store) { return store.contains(frame); });
    meet(answer && *answer ? Met::kContainsYes : Met::kContainsNo);
  }

  void read_tasks() {
    const TaskId id = world_.any_task();
    ask("task", [&](Store& store) { return store.task(id); });
    ask("rows of", [&](Store& store) { return store.rows_of(id); });
    TaskQuery query;
    query.tenant = world_.any_tenant();
    if (world_.one_in(3)) query.status = static_cast<TaskStatus>(world_.below(6));
    if (world_.one_in(3)) query.session = "chat-1";
    if (world_.one_in(3)) query.label = label_of("who", world_.any_person());
    query.limit = world_.below(4);
    const auto first = ask("tasks", [&](Store& store) { return store.tasks(query); });
    if (!first || first->empty()) return;
    if (!query.label.empty()) meet(Met::kTasksOfLabel);
    query.before = first->back().id;
    const auto next = ask("tasks", [&](Store& store) { return store.tasks(query); });
    if (next && !next->empty()) meet(Met::kPageOfTasks);
  }

  void read_frames() {
    const TaskId id = world_.any_task();
    const Seq from = world_.below(20);
    const size_t bytes = world_.below(2000);
    const auto first = ask("frames", [&](Store& store) { return store.frames(id, from, bytes); });
    if (!first || first->empty()) return;
    const Seq behind = first->back().last_seq() + 1;
    const auto next = ask("frames", [&](Store& store) { return store.frames(id, behind, bytes); });
    if (next && !next->empty()) meet(Met::kPageOfFrames);
  }

  void read_waiting() {
    const size_t limit = 1 + world_.below(3);
    InterruptQuery query;
    query.tenant = world_.any_tenant();
    query.limit = limit;
    if (world_.one_in(3)) query.assignee = world_.any_person();
    if (world_.one_in(4)) query.task = world_.any_task();
    const auto open = ask("interrupts", [&](Store& store) { return store.interrupts(query); });
    if (open && !open->empty()) {
      query.after = InterruptId{open->back().task, open->back().seq};
      const auto next = ask("interrupts", [&](Store& store) { return store.interrupts(query); });
      if (next && !next->empty()) meet(Met::kPageOfInterrupts);
      if (query.assignee) meet(Met::kInterruptsOfPerson);
    }
    const auto ready =
        ask("runnable", [&](Store& store) { return store.runnable(std::nullopt, limit); });
    if (!ready || ready->empty()) return;
    const auto next =
        ask("runnable", [&](Store& store) { return store.runnable(ready->back(), limit); });
    if (next && !next->empty()) meet(Met::kPageOfRunnable);
  }

  void read_timers() {
    const auto until_ms = static_cast<int64_t>(world_.below(1000)) - 100;
    const size_t limit = world_.below(5);
    const auto due = ask("timers", [&](Store& store) { return store.timers_due(until_ms, limit); });
    if (due && limit > 0 && due->size() == limit) meet(Met::kPageOfTimers);
  }

  void read_all() {
    const auto now_ms = static_cast<int64_t>(world_.below(1000)) - 100;
    ask("counts", [&](Store& store) { return store.counts(now_ms); });
    const Frame* known = world_.any_frame();
    const Pos after = known ? known->pos : 0;
    const size_t bytes = world_.below(2000);
    const auto frames =
        ask("frames after", [&](Store& store) { return store.frames_after(after, bytes); });
    if (frames && frames->size() > 1) meet(Met::kPageOfAllFrames);
  }

  void read_key() {
    const IdempotencyRow key = world_.any_key();
    const auto row = ask("idempotency", [&](Store& store) {
      return store.idempotency(key.tenant, key.route, key.key);
    });
    if (row && *row) meet(Met::kIdempotencyFound);
  }

  void read_kept() {
    const size_t limit = 1 + world_.below(3);
    const auto first =
        ask("kept", [&](Store& store) { return store.kept("agent", std::nullopt, limit); });
    if (!first || first->empty()) return;
    const auto next =
        ask("kept", [&](Store& store) { return store.kept("agent", first->back(), limit); });
    if (next && !next->empty()) meet(Met::kPageOfKeptRows);
  }

  RandomWorld world_;
  OpenStore& left_;
  OpenStore& right_;
  int step_ = 0;
  std::array<int, static_cast<size_t>(Met::kLast)> met_{};
  std::string difference_;
};

class Seeds : public testing::TestWithParam<uint64_t> {};

TEST_P(Seeds, StoresDoTheSame) {
  const auto all = kinds(Sync::kOff);
  for (size_t i = 1; i < all.size(); ++i) {
    const auto left = all[0].create();
    const auto right = all[i].create();
    Differential differential(GetParam(), *left, *right);
    EXPECT_EQ(differential.run(), "") << "seed " << GetParam() << ", " << all[i].name;
    fmt::print("seed {}, {} against {}: {}\n", GetParam(), all[i].name, all[0].name,
               differential.counts());
  }
}
INSTANTIATE_TEST_SUITE_P(Differential, Seeds, testing::Range<uint64_t>(1, 6));

// Changes what a store is given, before it is given.
class Wrong : public OpenStore {
 public:
  using Change = std::function<void(Batch&)>;
  Wrong(std::unique_ptr<OpenStore> right, Change change)
      : right_(std::move(right)), facade_(*this), change_(std::move(change)) {}

  Store& store() override { return facade_; }
  void reopen() override { right_->reopen(); }
  StoreRows rows() override { return right_->rows(); }

 private:
  class Facade : public Store {
   public:
    explicit Facade(Wrong& wrong) : wrong_(wrong) {}
    void commit(const Batch& given, std::function<void(CommitResult)> done) override {
      changed_ = given;
      wrong_.change_(changed_);
      at().commit(changed_, std::move(done));
    }
    Result<bool> contains(const Frame& frame) override { return at().contains(frame); }
    Epoch epoch() const override { return at().epoch(); }
    Pos last_pos() const override { return at().last_pos(); }
    std::string secret() const override { return at().secret(); }
    Result<std::optional<TaskRow>> task(const TaskId& id) override { return at().task(id); }
    Result<std::vector<TaskRow>> tasks(const TaskQuery& query) override {
      return at().tasks(query);
    }
    Result<TaskRows> rows_of(const TaskId& id) override { return at().rows_of(id); }
    Result<ScrubPage> scrub(const std::string& cursor, size_t max) override {
      return at().scrub(cursor, max);
    }
    Result<std::vector<Frame>> frames(const TaskId& id, Seq from, size_t max) override {
      return at().frames(id, from, max);
    }
    Result<std::optional<IdempotencyRow>> idempotency(const std::string& tenant,
                                                      const std::string& route,
                                                      const std::string& key) override {
      return at().idempotency(tenant, route, key);
    }
    Result<std::vector<InterruptRow>> interrupts(const InterruptQuery& query) override {
      return at().interrupts(query);
    }
    Result<std::vector<TimerRow>> timers_due(int64_t until_ms, size_t limit) override {
      return at().timers_due(until_ms, limit);
    }
    Result<std::vector<TaskId>> runnable(std::optional<TaskId> after, size_t limit) override {
      return at().runnable(after, limit);
    }
    Result<std::vector<Frame>> frames_after(Pos after, size_t max) override {
      return at().frames_after(after, max);
    }
    Result<StoreCounts> counts(int64_t now_ms) override { return at().counts(now_ms); }
    Result<std::vector<KeptRow>> kept(const std::string& kind, const std::optional<KeptRow>& after,
                                      size_t limit) override {
      return at().kept(kind, after, limit);
    }

   private:
    Store& at() const { return wrong_.right_->store(); }
    Wrong& wrong_;
    Batch changed_;
  };

  std::unique_ptr<OpenStore> right_;
  Facade facade_;
  Change change_;
};

// A comparison that cannot fail proves nothing: each of these must be found.
TEST(DifferentialControl, WrongStoresAreFound) {
  int commits = 0;
  const std::vector<std::pair<std::string, Wrong::Change>> wrongs = {
      {"drops a cleared timer", [](Batch& batch) { batch.timers_cleared.clear(); }},
      {"drops a closed interrupt", [](Batch& batch) { batch.interrupts_closed.clear(); }},
      {"keeps a row that was removed",
       [](Batch& batch) {
         std::erase_if(batch.kept, [](const KeptRow& row) { return row.value.empty(); });
       }},
      {"forgets an idempotency row", [](Batch& batch) { batch.idempotency.clear(); }},
      {"loses a row of a task once",
       [&](Batch& batch) {
         if (++commits > 50 && batch.frames.empty()) batch.tasks.clear();
       }},
      {"changes a byte of a body once",
       [&](Batch& batch) {
         if (++commits > 50 && !batch.frames.empty()) batch.frames[0].body.back() ^= 1;
       }},
      {"writes another epoch",
       [](Batch& batch) {
         for (Frame& frame : batch.frames) frame.epoch |= 0xFFFF;
       }},
  };
  for (const auto& [name, change] : wrongs) {
    commits = 0;
    const auto left = kinds(Sync::kOff)[0].create();
    Wrong right(kinds(Sync::kOff)[0].create(), change);
    Differential differential(1, *left, right);
    const std::string difference = differential.run();
    EXPECT_TRUE(difference.starts_with("step ")) << name << ": " << difference;
    fmt::print("{}: found at {}\n", name, difference.substr(0, difference.find('\n')));
  }
}

}  // namespace
}  // namespace perdure::store_test
