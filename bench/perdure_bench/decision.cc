// From a person's decision to the request that it lets out; and what a call costs in rules alone.
#include <fmt/core.h>

#include <atomic>

#include "base/mask.h"
#include "bench.h"
#include "core/budget.h"
#include "cost.h"
#include "engine_world.h"
#include "runtime/engine_thread.h"
#include "runtime/policy.h"
#include "tool/http_outcome.h"

namespace perdure::bench {
namespace {

constexpr double kBatchUs = 1'000;
constexpr size_t kDecisionsOfATask = 20;  // its journal is read for each of them

// Tells the thread that decides what it may decide, once it is durable.
class Questions : public engine::Observer {
 public:
  void on_durable(std::span<const engine::Committed> tasks) override {
    for (const engine::Committed& committed : tasks) {
      for (const Record& record : committed.records) {
        if (!std::holds_alternative<InterruptRequested>(record.body)) continue;
        task = committed.task;
        seq = record.seq;
        ++count;
        count.notify_one();
      }
    }
  }
  TaskId task;  // both are written before `count`
  Seq seq = 0;
  std::atomic<uint64_t> count{0};
};

struct Decided {
  double p50_us = 0;
  double floor_us = 0;
  size_t count = 0;
};

// The engine has its own thread, as in the server; this thread decides.
Decided measure(const Options& options) {
  const ScratchDir dir(options.dir);
  WritingTool tool(dir.path() + "/outside");
  EngineWorld world(dir.path(), {tool}, options.unsafe_no_sync);
  CostMeter cost(dir.path());
  Questions questions;
  world.engine().observe(&questions);
  std::atomic<double> started_us{0};
  tool.on_start = [&] {
    started_us = now_us();
    started_us.notify_one();
  };
  runtime::EngineThread thread(world.engine(), world.clock());
  thread.start();
  std::vector<double> each_us;
  uint64_t known = 0;
  cost.start();
  const double end_us = now_us() + options.run_us();
  while (now_us() < end_us) {
    if (each_us.size() % kDecisionsOfATask == 0) {
      world.submit_script(acting_script(kDecisionsOfATask, "ask"));
    }
    questions.count.wait(known);
    known = questions.count;
    if (cost.is_sample_due()) cost.sample_floor(5);  // the engine has nothing to do
    Resolve decision;
    decision.interrupt_seq = questions.seq;
    decision.by = "bench";
    const double before_us = started_us;
    const double decided_us = now_us();
    world.engine().command(questions.task, decision);
    started_us.wait(before_us);
    each_us.push_back(started_us - decided_us);
  }
  thread.stop(0);
  return {quantile(each_us, 0.5), cost.floor_us(), each_us.size()};
}

CallAction refund_call() {
  CallAction call;
  call.step = "t3/c0";
  call.name = "tool7";
  call.args = Payload::of(R"({"order":"A-4711","amount_cents":1999,"reason":"arrived broken",)"
                          R"("note":"the customer sent two photographs of the box, and wants )"
                          R"(neither a replacement nor a voucher, but the money back"})");
  return call;
}

struct PolicyWorld {
  PolicyWorld() {
    for (int i = 0; i < 20; ++i) {
      ToolEntry tool;
      tool.name = "tool" + std::to_string(i);
      tool.rules.contract.effect = EffectClass::kOnce;
      tool.rules.identity = {"/order", "/amount_cents"};
      tools.add(std::move(tool), nullptr);
    }
    state.limits.cost_micro_usd = 5'000'000;
    state.limits.tool_calls = 100;
  }
  runtime::ToolRouter tools;
  core::TaskState state;
};

}  // namespace

Rows decision(const Options& options) {
  Row row{.name = "a decision to the wire, p50", .unit = "F", .floor = 6, .goal = 6};
  row.valid = !options.unsafe_no_sync;
  for (int run = 0; run < options.runs; ++run) {
    const Decided decided = measure(options);
    row.runs.push_back(decided.p50_us / decided.floor_us);
    row.note = fmt::format("{:.0f} us, F {:.0f} us, {} decisions", decided.p50_us, decided.floor_us,
                           decided.count);
  }
  return {row};
}

namespace {

runtime::PolicyRule over(int64_t amount, Verdict then) {
  runtime::PolicyRule rule;
  rule.where = {{"/amount_cents", runtime::Condition::Op::kGt, amount}};
  rule.then = then;
  return rule;
}

}  // namespace

Rows policy(const Options& options) {
  Row row{.name = "policy, budget and classifier", .unit = "us a step", .floor = 2, .goal = 2};
  const ScratchDir dir(options.dir);
  const auto blobs = must(FileBlobs::open(dir.path()));
  runtime::AgentVersions versions(*blobs);
  const PolicyWorld world;
  const runtime::Models models;
  const std::vector<runtime::PolicyRule> rules = {over(5'000, Verdict::kAsk),
                                                  over(50'000, Verdict::kDeny)};
  runtime::ContractPolicy policy(models, world.tools, rules, versions);
  const CallAction call = refund_call();
  HttpToolConfig tool;
  const Masker masker = Secrets{}.masker();
  Send send;
  send.step = call.step;
  const std::string body(kStepBytes, 'r');
  uint64_t kept = 0;
  const auto step = [&] {
    AnswerTurn turn;
    turn.guarded = true;
    turn.actions.emplace_back(call);
    policy.judge("", turn);
    const auto& judged = std::get<CallAction>(turn.actions.front());
    HttpResult answer;
    answer.end = HttpResult::End::kComplete;
    answer.status = 200;
    answer.body = body;
    const SettleStep outcome = classify(tool, send, std::move(answer), masker, 1);
    kept += core::fits(world.state, judged.reserve) && outcome.outcome == Outcome::kSucceeded;
  };
  for (int run = 0; run < options.runs; ++run) {
    std::vector<double> each_us;
    kept = 0;
    uint64_t steps = 0;
    const double end_us = now_us() + options.run_us() / 4;
    while (now_us() < end_us) {
      const uint64_t first = steps;
      const double start_us = now_us();
      while (now_us() < start_us + kBatchUs) {
        for (int i = 0; i < 50; ++i) step();
        steps += 50;
      }
      each_us.push_back((now_us() - start_us) / double(steps - first));
    }
    if (kept != steps) die("a step was judged otherwise");
    row.runs.push_back(quantile(each_us, 0.5));
  }
  row.note = "20 tools, identity by two members of 200 B of arguments";
  return {row};
}

}  // namespace perdure::bench
