#include "clients.h"

#include <fmt/core.h>

#include "scripts.h"
#include "shop.h"
#include "world.h"

namespace perdure::sim {
namespace {

constexpr const char* kRoute = "POST /v1/tasks";
constexpr int64_t kPatienceUs = 20'000'000;

Limits limits(Dice& dice) {
  Limits limits;
  if (dice.chance(500)) limits.tool_calls = dice.between(0, 4);
  if (dice.chance(500)) limits.model_calls = dice.between(0, 4);
  if (dice.chance(300)) limits.cost_micro_usd = dice.between(0, 3'000);
  if (dice.chance(300)) limits.turns = dice.between(0, 3);
  return limits;
}

}  // namespace

void Clients::begin() {
  for (int64_t i = 0; i < world_.knobs().tasks; ++i) {
    jobs_.push_back(make(i));
    const size_t job = jobs_.size() - 1;
    const int64_t delay_us = i == 0 ? 0 : world_.dice().spread(0, 30'000'000);
    world_.after(delay_us, "client submits", [this, job] { submit(job); });
  }
}

bool Clients::all_answered() const {
  for (const Job& job : jobs_) {
    if (!job.task) return false;
  }
  return true;
}

Clients::Job Clients::make(int64_t number) {
  Dice& dice = world_.dice();
  Job job;
  job.tag = fmt::format("j{}", number);
  job.key = fmt::format("key-{}", number);
  job.submit.tenant = "t";
  job.submit.principal = "client";
  job.submit.metadata = fmt::format(R"({{"tag":"{}"}})", job.tag);
  if (dice.chance(world_.knobs().limited)) job.submit.limits = limits(dice);
  if (dice.chance(world_.knobs().agents)) {
    job.submit.planner = "agent";
    job.submit.agent = kAgentName;
    job.submit.agent_version = world_.agent_version();
    job.submit.input = Payload::of(fmt::format(R"("tag:{}; do it")", job.tag));
  } else if (dice.chance(world_.knobs().scripts)) {
    job.submit.planner = "script";
    job.submit.input = Payload::of(random_script(world_, job.tag));
  } else {
    job.submit.planner = kWildPlanner;
    job.submit.input = Payload::of(fmt::format(R"("tag:{};")", job.tag));
  }
  return job;
}

void Clients::submit(size_t index) {
  Job& job = jobs_[index];
  Dice& dice = world_.dice();
  if (job.attempts > 0 && !job.task) world_.probe(Probe::kSubmitAfterLostAnswer);
  ++job.attempts;
  engine::NewTask task;
  task.submit = job.submit;
  task.idempotency = engine::IdempotencyKey{kRoute, job.key, sha256(job.tag)};
  task.reply = [this, index](Result<engine::Submitted> result) {
    Job& answered_job = jobs_[index];
    if (!world_.output("answer", result ? result->task : TaskId{})) return;
    if (!result) {
      if (result.error().code == Code::kUnavailable) world_.probe(Probe::kMailboxFull);
      return;
    }
    world_.acknowledged({*result, answered_job.submit, answered_job.key, answered_job.tag});
    answered(index, result->task, result->repeated);
  };
  world_.submit(std::move(task));
  const bool again = !job.task || dice.chance(world_.knobs().impatient);
  if (!again || job.attempts > 1000) return;
  const bool impatient = dice.chance(world_.knobs().impatient);
  const int64_t delay_us = impatient ? dice.spread(0, kPatienceUs) : kPatienceUs;
  world_.after(delay_us, "client repeats", [this, index] {
    if (!jobs_[index].task || world_.dice().chance(world_.knobs().impatient)) submit(index);
  });
  if (impatient && dice.chance(200)) submit_other_body(index);
}

// The same key for something else: must be refused, whenever it comes after the first.
void Clients::submit_other_body(size_t index) {
  const Job& job = jobs_[index];
  if (!job.task) return;
  engine::NewTask task;
  task.submit = job.submit;
  task.submit.metadata = fmt::format(R"({{"tag":"{}-other"}})", job.tag);
  task.idempotency = engine::IdempotencyKey{kRoute, job.key, sha256(job.tag + "other")};
  task.reply = [this](const Result<engine::Submitted>& result) {
    if (result) {
      world_.verdict().violation("create_idempotent",
                                 "a key that was used for another request is accepted");
    } else if (result.error().code == Code::kInvalid) {
      world_.probe(Probe::kSubmitOtherBody);
    }
  };
  world_.submit(std::move(task));
}

void Clients::answered(size_t index, const TaskId& task, bool repeated) {
  Job& job = jobs_[index];
  if (repeated) world_.probe(Probe::kSubmitRepeated);
  if (job.task) return;
  job.task = task;
  world_.after(world_.dice().spread(0, 10'000'000), "client looks",
               [this, index] { visit(index); });
}

void Clients::visit(size_t index) {
  const Job& job = jobs_[index];
  Dice& dice = world_.dice();
  const SeenTask* seen = world_.evidence().task(*job.task);
  if (seen != nullptr && seen->ended) {
    if (!seen->acknowledged && dice.chance(700)) world_.command(*job.task, Acknowledge{"client"});
    if (dice.chance(world_.knobs().cancel)) world_.command(*job.task, Cancel{"client", "too late"});
    return;
  }
  if (dice.chance(world_.knobs().cancel)) world_.command(*job.task, Cancel{"client", "enough"});
  if (dice.chance(world_.knobs().cancel)) world_.command(*job.task, Acknowledge{"client"});
  if (dice.chance(world_.knobs().early_timers)) claim_timer_is_due(index);
  const int64_t pause_us = world_.is_healed() ? 7'200'000'000 : dice.spread(100'000, 10'000'000);
  world_.after(pause_us, "client looks", [this, index] { visit(index); });
}

// A second clock, or a message that was delivered twice: the task must know better.
void Clients::claim_timer_is_due(size_t index) {
  const SeenTask* seen = world_.evidence().task(*jobs_[index].task);
  if (seen == nullptr) return;
  for (const auto& [id, timer] : seen->timers) {
    if (timer.due_ms <= world_.clock().unix_ms()) continue;
    world_.probe(Probe::kEarlyTimerRefused);
    world_.command(seen->id, FireTimer{id});
  }
}

}  // namespace perdure::sim
