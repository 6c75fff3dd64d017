#include "clients.h"

#include <fmt/core.h>

#include "base/json.h"
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

std::string body_of(const Submit& submit, std::string_view agent, std::string_view tag) {
  json::object budget;
  const Limits& limits = submit.limits;
  if (limits.cost_micro_usd != kUnlimited) {
    budget["cost_usd"] = static_cast<double>(limits.cost_micro_usd) / 1e6;
  }
  if (limits.model_calls != kUnlimited) budget["model_calls"] = limits.model_calls;
  if (limits.tool_calls != kUnlimited) budget["tool_calls"] = limits.tool_calls;
  if (limits.turns != kUnlimited) budget["turns"] = limits.turns;
  json::object body{{"agent", agent},
                    {"input", *parse_json(submit.input.view(), "input")},
                    {"metadata", {{"tag", tag}}}};
  if (!budget.empty()) body["budget"] = std::move(budget);
  return to_json(body);
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
    if (!job.task && !job.damaged) return false;
  }
  return true;
}

Clients::Job Clients::make(int64_t number) {
  Dice& dice = world_.dice();
  Job job;
  job.tag = fmt::format("j{}", number);
  job.key = fmt::format("key-{}", number);
  job.submit.tenant = kTenant;
  job.submit.principal = kPrincipal;
  job.submit.metadata = fmt::format(R"({{"tag":"{}"}})", job.tag);
  if (dice.chance(world_.knobs().limited)) job.submit.limits = limits(dice);
  const bool over_http = dice.chance(world_.knobs().over_http);
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
  if (over_http) {
    const std::string& planner = job.submit.planner;
    job.agent = planner == "agent" ? kAgentName : planner == "script" ? kScriptAgent : kWildAgent;
    if (planner == "agent") job.submit.limits.turns = kUnlimited;  // its agent has its own
  }
  return job;
}

void Clients::submit(size_t index) {
  Job& job = jobs_[index];
  Dice& dice = world_.dice();
  if (job.attempts > 0 && !job.task) world_.probe(Probe::kSubmitAfterLostAnswer);
  ++job.attempts;
  if (job.agent.empty()) {
    submit_inside(index);
  } else {
    submit_over_http(index);
  }
  const bool again = !job.task || dice.chance(world_.knobs().impatient);
  if (!again || job.attempts > 1000) return;
  const bool impatient = dice.chance(world_.knobs().impatient);
  const int64_t delay_us = impatient ? dice.spread(0, kPatienceUs) : kPatienceUs;
  world_.after(delay_us, "client repeats", [this, index] {
    if (jobs_[index].damaged) return;
    if (!jobs_[index].task || world_.dice().chance(world_.knobs().impatient)) submit(index);
  });
  if (impatient && dice.chance(200)) submit_other_body(index);
}

void Clients::submit_inside(size_t index) {
  const Job& job = jobs_[index];
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
}

void Clients::submit_over_http(size_t index) {
  const Job& job = jobs_[index];
  api::Request request = request_of("POST", "/v1/tasks", body_of(job.submit, job.agent, job.tag));
  request.headers.emplace_back("idempotency-key", job.key);
  if (world_.dice().chance(100)) request.headers.emplace_back("prefer", "wait=5");
  const auto line = std::make_shared<Line>(
      world_, [this, index](const api::Response& response) { take_answer(index, response); });
  world_.ask(std::move(request), line);
}

void Clients::take_answer(size_t index, const api::Response& response) {
  Job& job = jobs_[index];
  if (response.status == 503) world_.probe(Probe::kMailboxFull);
  if (response.body.find(R"("code":"damaged")") != std::string::npos) told_damaged(job);
  if (response.status >= 500) return;  // it comes again
  const auto shown = parse_json(response.body, "answer");
  const json::value* id = shown ? shown->as_object().if_contains("id") : nullptr;
  const auto task = id != nullptr ? TaskId::parse(id->get_string()) : std::nullopt;
  if (response.status > 202 || !task) {
    return world_.verdict().violation(
        "create_idempotent", fmt::format("submission '{}' is answered with {}: {}", job.tag,
                                         response.status, response.body));
  }
  bool repeated = false;
  for (const auto& [name, value] : response.headers) repeated |= name == "idempotency-replayed";
  world_.acknowledged({{*task, repeated, 0}, job.submit, job.key, job.tag});
  answered(index, *task, repeated);
}

// That is an answer too, if it is true.
void Clients::told_damaged(Job& job) {
  job.damaged = true;
  world_.probe(Probe::kDamageTold);
  for (const auto& [id, task] : world_.evidence().tasks) {
    if (tag_of(task) == job.tag && world_.disk().decay.holds(id)) return;
  }
  world_.verdict().violation("damage_never_acted_on",
                             job.tag + " is told to be damaged, and is what was written");
}

// The same key for something else: must be refused, whenever it comes after the first.
void Clients::submit_other_body(size_t index) {
  const Job& job = jobs_[index];
  if (!job.task) return;
  if (!job.agent.empty()) {
    api::Request request =
        request_of("POST", "/v1/tasks", body_of(job.submit, job.agent, job.tag + "-other"));
    request.headers.emplace_back("idempotency-key", job.key);
    const auto line = std::make_shared<Line>(world_, [this](const api::Response& response) {
      if (response.status < 300) other_body_is_accepted();
      if (response.status == 422) world_.probe(Probe::kSubmitOtherBody);
    });
    return world_.ask(std::move(request), line);
  }
  engine::NewTask task;
  task.submit = job.submit;
  task.submit.metadata = fmt::format(R"({{"tag":"{}-other"}})", job.tag);
  task.idempotency = engine::IdempotencyKey{kRoute, job.key, sha256(job.tag + "other")};
  task.reply = [this](const Result<engine::Submitted>& result) {
    if (result) {
      other_body_is_accepted();
    } else if (result.error().code == Code::kInvalid) {
      world_.probe(Probe::kSubmitOtherBody);
    }
  };
  world_.submit(std::move(task));
}

void Clients::other_body_is_accepted() {
  world_.verdict().violation("create_idempotent",
                             "a key that was used for another request is accepted");
}

void Clients::answered(size_t index, const TaskId& task, bool repeated) {
  Job& job = jobs_[index];
  if (repeated) world_.probe(Probe::kSubmitRepeated);
  if (job.task) return;
  job.task = task;
  if (world_.dice().chance(world_.knobs().over_http)) world_.readers().follow(task);
  world_.after(world_.dice().spread(0, 10'000'000), "client looks",
               [this, index] { visit(index); });
}

void Clients::visit(size_t index) {
  const Job& job = jobs_[index];
  Dice& dice = world_.dice();
  const SeenTask* seen = world_.evidence().task(*job.task);
  if (seen != nullptr && seen->ended) {
    if (!seen->acknowledged && dice.chance(700)) command(job, Acknowledge{"client"});
    if (dice.chance(world_.knobs().cancel)) command(job, Cancel{"client", "too late"});
    return;
  }
  if (!job.agent.empty() && dice.chance(500)) world_.readers().look(*job.task);
  if (dice.chance(world_.knobs().cancel)) command(job, Cancel{"client", "enough"});
  if (dice.chance(world_.knobs().cancel)) command(job, Acknowledge{"client"});
  if (dice.chance(world_.knobs().early_timers)) claim_timer_is_due(index);
  const int64_t pause_us = world_.is_healed() ? 7'200'000'000 : dice.spread(100'000, 10'000'000);
  world_.after(pause_us, "client looks", [this, index] { visit(index); });
}

void Clients::command(const Job& job, Command command) {
  if (job.agent.empty()) return world_.command(*job.task, std::move(command));
  const bool cancels = std::holds_alternative<Cancel>(command);
  const std::string target = "/v1/tasks/" + job.task->to_string() + (cancels ? "/cancel" : "/ack");
  const auto line = std::make_shared<Line>(
      world_, [this, task = *job.task, command](const api::Response& response) {
        if (response.status == 200) world_.acknowledged({{task, false, 0}, command, {}, {}});
      });
  world_.ask(request_of("POST", target, cancels ? R"({"reason":"enough"})" : ""), line);
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
