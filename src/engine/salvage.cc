#include "engine/salvage.h"

#include <map>
#include <optional>

#include "journal/key.h"

namespace perdure::engine {
namespace {

constexpr size_t kPageBytes = 256u << 10;

// Calls `use` with each record that is whole, in order.
template <class Use>
Status each_whole_record(StoreReader& store, const TaskId& task, Use use) {
  for (Seq next = 1;;) {
    TRY_ASSIGN(const std::vector<Frame> frames, store.frames_as_they_are(task, next, kPageBytes));
    if (frames.empty() || frames.back().last_seq() < next) return {};
    for (const Frame& frame : frames) {
      const auto records = decode_frame(frame);
      if (!records) continue;
      for (const Record& record : *records) use(record);
    }
    next = frames.back().last_seq() + 1;
  }
}

// The calls of a journal, by what its whole records say.
class Effects {
 public:
  Effects(const TaskId& task, std::string_view secret) : task_(task), secret_(secret) {}

  void see(const Record& record) {
    if (const auto* planned = std::get_if<StepPlanned>(&record.body)) {
      OpenEffect& effect = of(planned->step);
      effect.kind = planned->kind;
      effect.name = planned->name;
      effect.effect = planned->contract.effect;
    } else if (const auto* intent = std::get_if<StepIntended>(&record.body)) {
      OpenEffect& effect = of(intent->step);
      effect.attempt = intent->attempt;
      effect.intended_ms = record.at_ms;
      effect.key = key_of(secret_, task_, intent->step, intent->group, intent->args_hash);
      open_[intent->step] = true;
    } else if (const auto* settled = std::get_if<StepSettled>(&record.body)) {
      if (settled->outcome != Outcome::kInDoubt) open_[settled->step] = false;
    } else if (const auto* closed = std::get_if<StepClosed>(&record.body)) {
      if (closed->state != EffectState::kInDoubt) open_[closed->step] = false;
    }
  }

  std::vector<OpenEffect> open() const {
    std::vector<OpenEffect> out;
    for (const auto& [step, effect] : known_) {
      const auto open = open_.find(step);
      if (open != open_.end() && open->second) out.push_back(effect);
    }
    return out;
  }

 private:
  OpenEffect& of(const StepId& step) {
    OpenEffect& effect = known_[step];
    effect.step = step;
    return effect;
  }

  const TaskId& task_;
  std::string_view secret_;
  std::map<StepId, OpenEffect> known_;
  std::map<StepId, bool> open_;
};

}  // namespace

Result<Salvage> salvage(StoreReader& store, const TaskId& task, std::string_view secret,
                        int64_t now_ms) {
  Salvage out;
  TRY_ASSIGN(TaskRows rows, store.rows_of(task));
  if (!rows.task) return fail(Code::kNotFound, "there is no row of task " + task.to_string());
  out.row = std::move(*rows.task);
  out.timers = std::move(rows.timers);
  out.interrupts = std::move(rows.interrupts);
  Effects effects(task, secret);
  Seq last = 0;
  TRY_STATUS(each_whole_record(store, task, [&](const Record& record) {
    last = record.seq;
    effects.see(record);
    const auto* created = std::get_if<TaskCreated>(&record.body);
    if (created == nullptr) return;
    out.row.tenant = created->tenant;
    out.row.principal = created->principal;
    out.row.planner = created->planner;
    out.row.agent = created->agent;
    out.row.metadata = created->metadata;
    out.row.session = created->session;
    out.row.created_ms = record.at_ms;
  }));
  out.effects = effects.open();
  if (out.row.metadata.empty()) out.row.metadata = "{}";
  out.row.status = TaskStatus::kFailed;
  out.row.phase = Phase::kRunning;
  out.row.runnable = false;
  out.row.waiting_for = "[]";
  out.row.updated_ms = now_ms;
  out.row.head = last;
  out.row.ended_seq = 0;  // the journal has no such record
  out.row.damaged = false;
  return out;
}

std::string tenant_of(StoreReader& store, const TaskId& task) {
  if (const auto frames = store.frames_as_they_are(task, 1, 1); frames && !frames->empty()) {
    const auto records = decode_frame(frames->front());
    const auto* created = records ? std::get_if<TaskCreated>(&records->front().body) : nullptr;
    if (created != nullptr) return created->tenant;
  }
  const auto rows = store.rows_of(task);
  return rows && rows->task && !rows->task->damaged ? rows->task->tenant : std::string();
}

}  // namespace perdure::engine
