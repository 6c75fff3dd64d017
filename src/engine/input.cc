// What comes in: commands are applied to their task.
#include <fmt/core.h>

#include <algorithm>
#include <iterator>

#include "base/hooks.h"
#include "base/log.h"
#include "engine/impl.h"
#include "engine/stow.h"

namespace perdure::engine {
namespace {

// So few that the store gets its next batch soon, so many that a batch is worth its flush.
constexpr size_t kInputsAtOnce = 32;

auto key_of(const IdempotencyRow& row) {
  return std::tuple(row.tenant, row.route, row.key);
}

}  // namespace

bool Engine::Impl::take_inputs() {
  const bool some = take_all(mailbox.take(kInputsAtOnce));
  return take_answers() || some;
}

bool Engine::Impl::take_answers() {
  return take_all(mailbox.take_answers());
}

bool Engine::Impl::take_all(std::vector<Input> inputs) {
  for (Input& input : inputs) {
    std::visit([this](auto& what) { take(std::move(what)); }, input);
    if (failed) return false;
  }
  return !inputs.empty();
}

TaskId Engine::Impl::new_task_id() {
  return TaskId::make(now_ms(), world.rng.next(), world.rng.next());
}

// A repeated submission is answered with the first one's task, once that is durable.
bool Engine::Impl::answer_from_earlier(NewTask& input) {
  const IdempotencyKey& wanted = *input.idempotency;
  const auto key = std::tuple(input.submit.tenant, wanted.route, wanted.key);
  std::optional<IdempotencyRow> earlier;
  if (const auto found = submitting.find(key); found != submitting.end()) {
    earlier = found->second;
  } else {
    auto stored = world.store.idempotency(input.submit.tenant, wanted.route, wanted.key);
    if (!stored) {
      hold({{}, ReplyOutput{std::move(input.reply), tl::unexpected(stored.error())}});
      return true;
    }
    earlier = std::move(*stored);
  }
  if (!earlier && damaged_keys.contains(wanted.request_hash)) {
    hold({{},
          ReplyOutput{std::move(input.reply),
                      fail(Code::kCorrupt,
                           "a request with this very content was accepted under a key that is "
                           "damaged now: look at the tasks, and send it without a key if it is to "
                           "be done again")}});
    return true;
  }
  if (!earlier) return false;
  Result<Submitted> result = Submitted{earlier->task, true, 0};
  if (earlier->request_hash != wanted.request_hash) {
    result = fail(Code::kInvalid, "this Idempotency-Key was used for another request");
  }
  hold({earlier->task, ReplyOutput{std::move(input.reply), std::move(result)}});
  return true;
}

void Engine::Impl::take(NewTask&& input) {
  if (draining) {
    return input.reply(fail(Code::kUnavailable, "the server is shutting down"));
  }
  if (input.idempotency && answer_from_earlier(input)) return;
  const TaskId id = new_task_id();
  auto fresh = std::make_unique<Live>();
  fresh->task.state.id = id;
  Live& task = *live.emplace(id, std::move(fresh)).first->second;
  if (open.empty()) open.since_us = now_us();
  if (input.idempotency) {
    IdempotencyRow row{input.submit.tenant,
                       input.idempotency->route,
                       input.idempotency->key,
                       input.idempotency->request_hash,
                       id,
                       now_ms()};
    submitting[key_of(row)] = row;
    open.idempotency.push_back(std::move(row));
  }
  apply(task, std::move(input.submit), std::move(input.reply));
}

void Engine::Impl::take(TaskCommand&& input) {
  const TaskId id = input.task;
  if (const auto damage = quarantine.find(id)) return refuse(std::move(input), *damage);
  if (const auto found = live.find(id); found != live.end()) {
    apply(*found->second, std::move(input));
    return evict(id);  // nothing may have come of it
  }
  load(id, input.tenant).waiting.push_back(std::move(input));
  start_loads();
}

void Engine::Impl::refuse(TaskCommand&& input, const Error& error) {
  if (input.reply) {
    hold({input.task, ReplyOutput{std::move(input.reply), tl::unexpected(error)}});
  }
}

void Engine::Impl::apply(Live& task, TaskCommand&& input) {
  if (std::holds_alternative<SettleStep>(input.command)) {
    hooks::crash_point("engine.outcome_received");
    if (task.calls_under_way > 0) {
      --task.calls_under_way;
      --metrics.calls_under_way;
    }
  }
  apply(task, input.command, std::move(input.reply));
}

void Engine::Impl::take(KeepRows&& input) {
  if (draining) {
    return input.reply(fail(Code::kUnavailable, "the server is shutting down"));
  }
  if (open.empty()) open.since_us = now_us();
  std::move(input.rows.begin(), input.rows.end(), std::back_inserter(open.apart.kept));
  hold({{}, ReplyOutput{std::move(input.reply), Submitted{}}});
}

void Engine::Impl::apply(Live& task, const Command& command, Reply reply) {
  ++metrics.commands;
  core::Applied applied = core::apply(task.task, command, now_ms(), options.people, secret);
  const TaskId id = task.task.state.id;
  if (!applied.records.empty()) {
    if (open.empty()) open.since_us = now_us();
    if (task.handed_seq + 1 == applied.records.front().seq) open.touched.push_back(id);
    for (Record& record : applied.records) {
      if (std::holds_alternative<TurnAccepted>(record.body)) {
        task.recent.forget_upto(std::min(task.task.state.turn.upto_seq, task.durable_seq));
      }
      // Whoever waits for the end waits for this commit. A name that is lost is a call that is paid
      // for again.
      if (std::holds_alternative<TaskEnded>(record.body) ||
          std::holds_alternative<StepProgressed>(record.body)) {
        open.must_commit = true;
      }
      task.recent.add(std::move(record));
    }
  }
  if (reply) {
    Result<Submitted> result = applied.reply.map([&](const core::Accepted& accepted) {
      return Submitted{id, accepted.repeated, accepted.head, accepted.asked};
    });
    hold({id, ReplyOutput{std::move(reply), std::move(result)}});
  }
  for (Effect& effect : applied.effects) {
    std::visit([&](auto& what) { hold({id, std::move(what)}); }, effect);
  }
  note_waiting(task);
  metrics.live = live.size();
}

void Engine::Impl::note_waiting(const Live& task) {
  const core::Task& now = task.task;
  if ((task.planner_outside && now.plan.open) || core::asks_a_person(now.state)) {
    waits_outside.insert(now.state.id);
  } else {
    waits_outside.erase(now.state.id);
  }
}

// Of a planner's answer, on the thread that brings it.
Status Engine::Impl::judge_and_stow(const std::string& tenant, const std::string& agent_version,
                                    AnswerTurn& turn) {
  TRY_STATUS(world.policy.judge(agent_version, turn));
  return stow(world.blobs, tenant, turn);
}

void Engine::resolve(TaskId task, const Decided& about, Resolve decision, Reply reply) {
  Policy& policy = impl_->world.policy;
  Status judged;
  if (decision.decision == Decision::kEdit) {
    judged = policy.judge_edit(about.agent_version, about.tool, decision);
  } else if (decision.decision == Decision::kRespond && about.question.exists()) {
    judged = policy.judge_answer(about.question, decision.given);
  }
  if (!judged) return reply(tl::unexpected(judged.error()));
  if (const Status stowed = stow(impl_->world.blobs, about.tenant, decision.given); !stowed) {
    return reply(tl::unexpected(stowed.error()));
  }
  command(task, std::move(decision), std::move(reply), about.tenant);
}

void Engine::answer(TaskId task, const std::string& tenant, const std::string& agent_version,
                    AnswerTurn turn, Reply reply) {
  if (const Status fit = impl_->judge_and_stow(tenant, agent_version, turn); !fit) {
    return reply(tl::unexpected(fit.error()));
  }
  command(task, std::move(turn), std::move(reply), tenant);
}

}  // namespace perdure::engine
