// What goes out, and when.
#include <fmt/core.h>

#include <algorithm>

#include "base/assert.h"
#include "base/hooks.h"
#include "engine/impl.h"
#include "engine/stow.h"

namespace perdure::engine {
namespace {

using hooks::Bug;
using hooks::planted;

constexpr Seq kRunAheadMax = 1024;  // records of one task: more than the longest turn has actions

}  // namespace

void Engine::Impl::hold(Output output) {
  if (const auto* plan = std::get_if<Plan>(&output.what)) {
    Live& task = *live.at(output.task);
    const Planner* planner = world.planner(task.task.state.planner);
    if (planner == nullptr || planner->in_process()) {
      plans.emplace_back(output.task, *plan);
      return;
    }
  }
  if (open.empty()) open.since_us = now_us();
  open.must_commit = true;
  open.outputs.push_back(std::move(output));
}

void Engine::Impl::release(Output& output) {
  hooks::crash_point("engine.before_release");
  if (auto* reply = std::get_if<ReplyOutput>(&output.what)) {
    if (reply->reply) reply->reply(std::move(reply->result));
    reply->reply = {};
  } else if (quarantine.holds(output.task)) {
    // found to be damaged meanwhile
  } else if (const auto* asked = std::get_if<Plan>(&output.what)) {
    plan(output.task, *asked);
  } else if (auto* call = std::get_if<Send>(&output.what)) {
    if (call->attempt != 0 && !halted) send(output.task, std::move(*call));
  } else if (const auto* answered = std::get_if<Answered>(&output.what)) {
    world.executor(CallKind::kTool)
        ->answer(output.task, answered->step, answered->interrupt_seq, answered->decision,
                 answered->given);
  } else {
    const auto& abort = std::get<Abort>(output.what);
    for (const CallKind kind : {CallKind::kModel, CallKind::kTool}) {
      world.executor(kind)->abort(output.task, abort.step);
    }
  }
  hooks::crash_point("engine.after_release");
}

// Planted bugs only: what leaves here depends on records that are not durable.
void Engine::Impl::release_before_durable() {
  for (Output& output : under_way->outputs) {
    auto* reply = std::get_if<ReplyOutput>(&output.what);
    if (planted(Bug::kAckBeforeDurable) && reply != nullptr && reply->reply) {
      release(output);
    }
    auto* call = std::get_if<Send>(&output.what);
    if (planted(Bug::kSendBeforeDurable) && call != nullptr) {
      send(output.task, *call);
      call->attempt = 0;
    }
  }
}

// Planners in this process run ahead of the disk: what they answer waits at the gate in its turn.
void Engine::Impl::plan_inside() {
  while (!plans.empty()) {
    const auto [task, asked] = plans.front();
    plans.pop_front();
    plan(task, asked);
  }
}

void Engine::Impl::plan(const TaskId& id, const Plan& asked) {
  const auto found = live.find(id);
  if (found == live.end() || draining || quarantine.holds(id)) return;
  const core::Task& task = found->second->task;
  const core::TaskState& state = task.state;
  if (!task.plan.open || task.plan.turn != asked.turn || task.plan.upto_seq != asked.upto_seq)
    return;
  // A task may not run away from the disk: memory is bounded, and so is what a crash takes back.
  if (state.head - found->second->durable_seq > kRunAheadMax) {
    found->second->put_off = asked;
    open.must_commit = true;
    return;
  }
  ++metrics.plans;
  Planner* planner = world.planner(state.planner);
  if (planner == nullptr) {
    return mailbox.put(TaskCommand{
        id,
        RejectTurn{asked.turn, asked.upto_seq, "there is no planner '" + state.planner + "'"},
        {}});
  }
  PlanRequest request;
  request.task = id;
  request.tenant = state.tenant;
  request.agent = state.agent;
  request.agent_version = state.agent_version;
  request.plan = asked;
  request.after_seq = state.turn.upto_seq;
  request.state = state.turn.state;
  request.input = state.input;
  found->second->planner_outside = !planner->in_process();
  note_waiting(*found->second);
  const Seq from = planner->reads_history() ? 1 : request.after_seq + 1;
  const auto news = found->second->recent.between(from, asked.upto_seq);
  request.news.assign(news.begin(), news.end());
  planner->plan(std::move(request), [this, id, asked, tenant = state.tenant,
                                     version = state.agent_version](Result<AnswerTurn> turn) {
    Status fit = turn ? judge_and_stow(tenant, version, *turn) : tl::unexpected(turn.error());
    if (fit) {
      mailbox.put_answer(TaskCommand{id, std::move(*turn), {}});
    } else {
      mailbox.put_answer(TaskCommand{
          id, RejectTurn{asked.turn, asked.upto_seq, std::move(fit.error().message)}, {}});
    }
  });
}

void Engine::Impl::send(const TaskId& id, Send call) {
  Live& task = *live.at(id);
  const core::TaskState& state = task.task.state;
  ++metrics.sends;
  ++metrics.calls_under_way;
  ++task.calls_under_way;
  CallRequest request;
  request.task = id;
  request.tenant = state.tenant;
  request.agent = state.agent;
  request.agent_version = state.agent_version;
  request.key = std::move(call.key);
  request.epoch = world.store.epoch();
  const auto done = [this, id, tenant = state.tenant, kind = call.kind, name = call.name,
                     sent_us = now_us()](SettleStep outcome) {
    metrics.calls.add(kind, name, outcome, now_us() - sent_us);
    take_outcome(id, tenant, std::move(outcome));
  };
  request.on_provider_id = [this, id, step = call.step,
                            attempt = call.attempt](std::string provider_id) {
    mailbox.put(TaskCommand{id, NoteProviderId{step, attempt, std::move(provider_id)}, {}});
  };
  const CallKind kind = call.kind;
  request.ask = [this, id, tenant = state.tenant, step = call.step, attempt = call.attempt](
                    std::string message, Payload question, CallRequest::Asked asked) {
    ask(id, tenant, {step, attempt, std::move(message), std::move(question)}, std::move(asked));
  };
  request.withdraw = [this, id, step = call.step, attempt = call.attempt] {
    mailbox.put(TaskCommand{id, Withdraw{step, attempt}, {}});
  };
  request.send = std::move(call);
  world.executor(kind)->start(std::move(request), done);
}

// On the thread that brings answers to all calls: a large one is written to its file elsewhere.
void Engine::Impl::take_outcome(const TaskId& id, const std::string& tenant, SettleStep outcome) {
  const bool is_large = outcome.result.size_bytes > kInlinePayloadMaxBytes;
  auto work = [this, id, tenant, outcome = std::move(outcome)]() mutable {
    if (const Status stowed = stow(world.blobs, tenant, outcome.result); !stowed) {
      outcome.outcome = Outcome::kInDoubt;
      outcome.failure = FailureClass::kAmbiguous;
      outcome.detail = "an answer came and could not be stored: " + stowed.error().message;
      outcome.result = {};
    }
    mailbox.put(TaskCommand{id, std::move(outcome), {}});
  };
  if (is_large && world.apart) {
    world.apart(std::move(work));
  } else {
    work();
  }
}

void Engine::Impl::ask(const TaskId& id, const std::string& tenant, Ask question,
                       CallRequest::Asked asked) {
  const Status stowed = stow(world.blobs, tenant, question.question);
  if (!stowed) question.message.clear();  // refused in its turn
  mailbox.put(TaskCommand{id, std::move(question),
                          [this, asked = std::move(asked)](const Result<Submitted>& accepted) {
                            if (halted) return;
                            asked(accepted.map([](const Submitted& by) { return by.asked; }));
                          }});
}

}  // namespace perdure::engine
