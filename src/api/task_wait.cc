#include "api/task_wait.h"

#include <algorithm>

namespace perdure::api {

TaskWait::TaskWait(Context& context, std::string tenant, const TaskId& task,
                   std::shared_ptr<Responder> responder, Look look)
    : context_(context),
      counters_(context.counters),
      tenant_(std::move(tenant)),
      task_(task),
      responder_(std::move(responder)),
      look_(std::move(look)) {}

TaskWait::~TaskWait() {
  counters_->waits.give_back(tenant_);
}

void TaskWait::start(Context& context, const std::string& tenant, const TaskId& task,
                     int64_t wait_ms, std::shared_ptr<Responder> responder, Look look) {
  if (!context.counters->waits.take(tenant)) return responder->respond(*look(true));
  auto wait =
      std::make_shared<TaskWait>(context, tenant, task, std::move(responder), std::move(look));
  context.live.subscribe(task, wait);
  const std::weak_ptr<TaskWait> weak = wait;
  wait->responder_->on_disconnect([weak] {
    if (const auto alive = weak.lock()) alive->end();
  });
  wait->timer_ = context.after(tenant, wait_ms, [weak] {
    if (const auto alive = weak.lock()) alive->look(true);
  });
  wait->look(false);
}

void TaskWait::on_records(std::span<const Record> records) {
  const bool matters = std::any_of(records.begin(), records.end(), [](const Record& record) {
    return std::holds_alternative<TaskEnded>(record.body) ||
           std::holds_alternative<InterruptRequested>(record.body);
  });
  if (!matters) return;
  context_.later(tenant_, [self = shared_from_this()] { self->look(false); });
}

void TaskWait::on_damaged() {
  context_.later(tenant_, [self = shared_from_this()] { self->look(true); });
}

void TaskWait::look(bool last) {
  if (ended_) return;
  std::optional<Response> answer = look_(last);
  if (answer && end()) responder_->respond(std::move(*answer));
}

bool TaskWait::end() {
  if (ended_.exchange(true)) return false;
  if (const uint64_t timer = timer_; timer != 0) context_.parts.timers.cancel(timer);
  context_.live.unsubscribe(task_, this);
  return true;
}

}  // namespace perdure::api
