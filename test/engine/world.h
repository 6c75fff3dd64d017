#pragma once
// An engine that is pumped by hand: a clock that stands still, a store in memory, tools that the
// test answers.
#include <deque>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "adapters/memory/memory_store.h"
#include "engine/engine.h"
#include "fakes/counting_rng.h"
#include "fakes/memory_blobs.h"
#include "fakes/memory_snapshots.h"
#include "journal/answer_hash.h"
#include "script/script.h"

namespace perdure::test {

class StillClock : public Clock {
 public:
  int64_t unix_ms() override {
    if (!next_ms.empty()) {
      now_ms = next_ms.front();
      next_ms.pop_front();
    }
    return now_ms + leap_ms;
  }
  int64_t monotonic_us() override { return now_ms * 1000; }
  int64_t now_ms = 1'800'000'000'000;
  int64_t leap_ms = 0;          // of the wall alone
  std::deque<int64_t> next_ms;  // what the next readings find
};

class ScriptDirect : public Planner {
 public:
  bool in_process() const override { return true; }
  void plan(PlanRequest request, Done done) override {
    const auto script = Script::parse(request.input.view());
    if (!script) return done(tl::unexpected(script.error()));
    done(perdure::answer(*script, request.plan.turn, request.plan.upto_seq, request.state,
                         request.news, request.after_seq));
  }
};

// Every tool is what its name says: "read.x", "once.x", ...
class NamedPolicy : public Policy {
 public:
  Status judge_answer(const Payload&, const Payload&) override { return {}; }
  Status judge_edit(const std::string&, const std::string&, Resolve& edit) override {
    edit.identity = edit.given.hash;
    return {};
  }
  Status judge(const std::string&, AnswerTurn& turn) override {
    for (Action& action : turn.actions) {
      auto* call = std::get_if<CallAction>(&action);
      if (call == nullptr) continue;
      call->verdict = Verdict::kAllow;
      call->reserve.tool_calls = 1;
      call->contract.max_attempts = 3;
      call->contract.horizon_ms = 3'600'000;
      call->contract.effect = call->name.starts_with("read")         ? EffectClass::kRead
                              : call->name.starts_with("repeat")     ? EffectClass::kRepeat
                              : call->name.starts_with("idempotent") ? EffectClass::kIdempotent
                                                                     : EffectClass::kOnce;
      if (call->name.starts_with("ask")) call->verdict = Verdict::kAsk;
      if (turn.guarded) call->identity = call->args.hash;
    }
    return {};
  }
};

class HandExecutor : public Executor {
 public:
  using Executor::answer;
  struct Sent {
    CallRequest request;
    Done done;
  };
  void start(CallRequest request, Done done) override {
    sent.push_back({std::move(request), std::move(done)});
  }
  void abort(const TaskId&, const StepId&) override {}

  // Answers the i-th call.
  void answer(size_t i, Outcome outcome, std::string result = "\"ok\"") {
    SettleStep settle;
    settle.step = sent.at(i).request.send.step;
    settle.attempt = sent.at(i).request.send.attempt;
    settle.outcome = outcome;
    settle.result = Payload::of(std::move(result));
    sent.at(i).done(std::move(settle));
  }

  std::vector<Sent> sent;
};

// A store whose answers can be held back, or spoiled.
class HandStore : public MemoryStore {
 public:
  using MemoryStore::MemoryStore;

  void commit(const Batch& batch, std::function<void(CommitResult)> done) override {
    if (hold) {
      held = [this, &batch, done = std::move(done)] { commit_now(batch, done); };
    } else {
      commit_now(batch, done);
    }
  }
  Result<std::vector<Frame>> frames(const TaskId& id, Seq from_seq, size_t max_bytes) override {
    if (unreadable) return fail(*unreadable, "planted");
    return MemoryStore::frames(id, from_seq, max_bytes);
  }
  Result<std::vector<TaskId>> runnable(std::optional<TaskId> after, size_t limit) override {
    if (unlisted) return fail(Code::kUnavailable, "planted");
    return MemoryStore::runnable(after, limit);
  }
  // The commit that was held back goes on.
  void go_on() {
    hold = false;
    std::exchange(held, nullptr)();
  }

  bool hold = false;
  bool refuse_once = false;        // the next commit, all its tasks
  bool lose_once = false;          // the next commit, and nobody knows
  std::optional<Code> unreadable;  // journals
  bool unlisted = false;           // the list of tasks to recover
  std::function<void()> held;

 private:
  void commit_now(const Batch& batch, const std::function<void(CommitResult)>& done) {
    if (std::exchange(lose_once, false)) return done({CommitResult::Kind::kUnknown, {}, ""});
    if (!std::exchange(refuse_once, false)) return MemoryStore::commit(batch, done);
    CommitResult refused;
    refused.kind = CommitResult::Kind::kRefused;
    for (const Frame& frame : batch.frames) refused.refused.push_back(frame.task);
    done(refused);
  }
};

struct TestWorld {
  TestWorld() { start(); }

  // Ends the process, if there was one, and starts another on what is durable.
  void start() {
    engine.reset();
    store = store ? std::make_unique<HandStore>(store->snapshot())
                  : std::make_unique<HandStore>(std::string(32, 's'));
    engine = std::make_unique<engine::Engine>(
        engine::World{*store, blobs, clock, rng, policy,
                      [this](const std::string& name) -> Planner* {
                        if (name == "other") return other;
                        return name == "script" ? &planner : nullptr;
                      },
                      [this](CallKind) -> Executor* { return &executor; },
                      [this](std::string why) { failure = std::move(why); }, apart,
                      has_snapshots ? &snapshots : nullptr},
        options);
  }

  // Everything that is at hand, and what was only waiting for more.
  void pump() {
    for (int round = 0; round < 2; ++round) {
      while (engine->pump()) {
      }
      clock.now_ms += 10;
    }
  }

  // The id of a task that runs this script.
  TaskId submit(const std::string& script, std::string key = {}) {
    engine::NewTask task;
    task.submit.tenant = "t";
    task.submit.planner = "script";
    task.submit.input = Payload::of(script);
    if (!key.empty()) task.idempotency = {"tasks", key, sha256(script)};
    Result<engine::Submitted> got = fail(Code::kInternal, "no reply");
    task.reply = [&](Result<engine::Submitted> reply) { got = std::move(reply); };
    engine->submit(std::move(task));
    pump();
    last = got;
    return got ? got->task : TaskId{};
  }

  Result<engine::Submitted> command(const TaskId& task, Command command) {
    Result<engine::Submitted> got = fail(Code::kInternal, "no reply");
    engine->command(task, std::move(command),
                    [&](Result<engine::Submitted> reply) { got = std::move(reply); });
    pump();
    return got;
  }

  void advance(int64_t ms) {
    clock.now_ms += ms;
    pump();
  }

  TaskRow row(const TaskId& id) { return **store->task(id); }

  std::unique_ptr<HandStore> store;
  StillClock clock;
  CountingRng rng;
  MemoryBlobs blobs;
  NamedPolicy policy;
  ScriptDirect planner;
  Planner* other = nullptr;
  HandExecutor executor;
  std::unique_ptr<engine::Engine> engine;
  engine::Options options;
  std::function<void(std::function<void()>)> apart;  // where tasks are read; empty: at once
  bool has_snapshots = false;                        // from the next start on
  MemorySnapshots snapshots;
  std::string failure;
  Result<engine::Submitted> last = fail(Code::kInternal, "nothing submitted");
};

}  // namespace perdure::test
