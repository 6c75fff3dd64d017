#include "process.h"

#include <fmt/core.h>

#include "core/state.h"
#include "shop.h"
#include "world.h"

namespace perdure::sim {

SimTools::SimTools(World& world, SimHttp& http, std::vector<HttpToolConfig> tools)
    : world_(world), http_(http), tools_(http, world.clock(), Secrets(), std::move(tools)) {}

void SimTools::start(CallRequest request, Done done) {
  if (!world_.output("tool call", request.task)) return;
  world_.trace("sends", request.task, request.send.attempt, [&] {
    return fmt::format("{} step {} attempt {}", request.send.name, request.send.step,
                       request.send.attempt);
  });
  if (world_.dice().chance(world_.is_healed() ? 0 : 50)) {
    world_.probe(Probe::kCallAsked);
    return ask(std::move(request), std::move(done));
  }
  begin(std::move(request), std::move(done));
}

// Some withdraw what they have asked, at once or after a while.
void SimTools::ask(CallRequest request, Done done) {
  const auto ask = request.ask;
  const Position position{request.task, request.send.step};
  asking_[position] = {std::move(request), std::move(done)};
  ask("how many?", Payload::of(R"({"question":"how many?"})"), [this, position](Result<Seq> asked) {
    if (!asked) return go_on(position);
    if (!world_.dice().chance(300)) return;
    const int64_t delay_us = world_.dice().between(0, 5'000'000);
    world_.in_process(delay_us, "withdraws", [this, position] {
      const auto asking = asking_.find(position);
      if (asking == asking_.end()) return;
      world_.probe(Probe::kQuestionWithdrawn);
      asking->second.first.withdraw();
      go_on(position);
    });
  });
}

void SimTools::go_on(const Position& position) {
  auto asking = asking_.extract(position);
  if (asking) begin(std::move(asking.mapped().first), std::move(asking.mapped().second));
}

void SimTools::begin(CallRequest request, Done done) {
  http_.begin(request);
  tools_.start(std::move(request), std::move(done));
  http_.finish();
}

void SimTools::answer(const TaskId& task, const StepId& step, Seq interrupt_seq, Decision decision,
                      const Payload&) {
  if (!world_.output("answer to a call", task)) return;
  world_.trace("answered", task, interrupt_seq,
               [&] { return fmt::format("step {} {}", step, to_string(decision)); });
  const SeenTask* seen = world_.evidence().task(task);
  if (seen == nullptr || !seen->decisions.contains(interrupt_seq)) {
    world_.verdict().violation(
        "output_commit", fmt::format("{}: the answer to question {} is given, and is not durable",
                                     task.to_string(), interrupt_seq));
  }
  go_on({task, step});
}

void Watcher::on_durable(std::span<const engine::Committed> tasks) {
  for (const engine::Committed& committed : tasks) {
    const SeenTask* task = world_.evidence().task(committed.task);
    const Seq last = committed.records.back().seq;
    Seq& seen = seen_[committed.task];
    if (task == nullptr || last > task->head) {
      world_.verdict().violation("output_commit",
                                 fmt::format("{} record {} is shown, and is not durable",
                                             committed.task.to_string(), last));
    }
    for (const Record& record : committed.records) {
      if (seen != 0 && record.seq != seen + 1) {
        world_.verdict().violation("output_commit",
                                   fmt::format("{} record {} is shown after record {}",
                                               committed.task.to_string(), record.seq, seen));
      }
      seen = record.seq;
    }
  }
  next->on_durable(tasks);
}

Process::Process(World& world, Disk& disk, Network& network, const runtime::Setup& setup)
    : world_(world),
      store_(world, disk),
      blobs_(disk),
      snapshots_(world, disk, setup),
      rng_(world.dice()),
      http_(world, network),
      tools_(world, http_, setup.tools),
      wild_(world),
      watcher_(world) {
  runtime::Outside outside{store_,
                           blobs_,
                           world.clock(),
                           rng_,
                           http_,
                           [this](std::function<void()> work) {
                             const int64_t delay_us = world_.dice().between(0, 200);
                             world_.in_process(delay_us, "works", std::move(work));
                           },
                           Secrets(),
                           [](const std::string&) { return std::string(); },
                           [this](std::string) { failed_ = true; }};
  if (world.knobs().snapshots) outside.snapshots = &snapshots_;
  auto made = runtime::Runtime::make(setup, std::move(outside));
  PERDURE_ASSERT(made.has_value(), made ? "" : made.error().message.c_str());
  runtime_ = std::move(*made);
  runtime_->set_tool_executor(&tools_);
  runtime_->set_remote_planners([this](const std::string& name) -> Planner* {
    return name == kWildPlanner ? &wild_ : nullptr;
  });
  web_ = std::make_unique<Web>(world, *runtime_, store_, blobs_, rng_, store_.secret());
  watcher_.next = &web_->observer();
  runtime_->engine().observe(&watcher_);
}

Process::~Process() = default;

std::string Process::agent_version() {
  return runtime_->agents().find("", std::string(kAgentName))->version;
}

void Process::compare_states() {
  std::erase_if(touched_, [&](const TaskId& id) {
    const core::TaskState* live = engine().state_of(id);
    if (live == nullptr) return false;
    const core::TaskState& folded = world_.folded(id);
    if (world_.is_lost(id)) return true;
    if (live->head != folded.head) return false;  // it runs ahead of the disk
    if (core::hash_of(*live) != core::hash_of(folded)) {
      world_.verdict().violation("replay_equal",
                                 fmt::format("{} at record {}: the live state is not the fold of "
                                             "the journal",
                                             id.to_string(), live->head));
    }
    return true;
  });
}

}  // namespace perdure::sim
