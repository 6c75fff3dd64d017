#include "engine/audit.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "base/json.h"
#include "engine/damage.h"
#include "engine/fold.h"
#include "engine/open_question.h"
#include "engine/rows.h"
#include "engine/salvage.h"
#include "journal/key.h"

namespace perdure::engine {
namespace {

constexpr size_t kPageTasks = 1000;
constexpr size_t kPageRows = 1000;

template <class Use>
Status each_task(ClosedStore& store, const AuditTold& told, Use use) {
  std::optional<TaskId> last;
  for (uint64_t tasks = 0;;) {
    TRY_ASSIGN(const std::vector<TaskId> ids, store.task_ids(last, kPageTasks));
    for (const TaskId& id : ids) {
      TRY_STATUS(use(id));
      told.progress(++tasks);
    }
    if (ids.size() < kPageTasks) return {};
    last = ids.back();
  }
}

template <class Use>
Status each_damage(ClosedStore& store, Use use) {
  std::optional<KeptRow> last;
  for (;;) {
    TRY_ASSIGN(std::vector<KeptRow> rows, store.reader().kept(kDamageKind, last, kPageRows));
    for (const KeptRow& row : rows) TRY_STATUS(use(row));
    if (rows.size() < kPageRows) return {};
    last = std::move(rows.back());
  }
}

// Only who ended a damaged task has written such a row.
bool says_given_up(const TaskRow& row) {
  return !row.damaged && row.status == TaskStatus::kFailed && row.ended_seq == 0;
}

bool any_damaged(const TaskRows& rows) {
  const auto damaged = [](const auto& row) { return row.damaged; };
  return (rows.task && rows.task->damaged) ||
         std::any_of(rows.timers.begin(), rows.timers.end(), damaged) ||
         std::any_of(rows.interrupts.begin(), rows.interrupts.end(), damaged);
}

// Their kinds and ids: how a timer's time is written is no matter of damage.
std::set<std::string> kinds_and_ids(const json::array& waits) {
  std::set<std::string> out;
  for (const json::value& wait : waits) {
    const json::object* object = wait.if_object();
    if (object == nullptr) continue;
    out.insert(to_json(json::array{object->contains("kind") ? object->at("kind") : nullptr,
                                   object->contains("id") ? object->at("id") : nullptr}));
  }
  return out;
}

Status check_waits(const core::TaskState& state, const TaskRow& row) {
  const auto said = parse_json(row.waiting_for, "waiting_for");
  if (said && said->is_array() &&
      kinds_and_ids(said->get_array()) == kinds_and_ids(waits_of(state))) {
    return {};
  }
  return fail(Code::kCorrupt, "the row of the task waits for something else than its journal");
}

Status check_all_rows(const core::TaskState& state, const TaskRows& rows) {
  TRY_STATUS(engine::check_rows(state, rows));
  return check_waits(state, *rows.task);
}

// What was sent can be sent again under the key that it had.
Status check_keys(const core::TaskState& state, std::string_view secret) {
  if (secret.empty()) return {};  // as is said elsewhere
  for (const auto& [id, step] : state.open) {
    if (step.group == 0 || step.key_check.empty()) continue;
    if (call_key(secret, state.id, id, step.group, step.args.hash).check == step.key_check)
      continue;
    return fail(Code::kCorrupt,
                fmt::format("step '{}' was sent under a key that the secret of this "
                            "store does not give",
                            id));
  }
  return {};
}

Status audit_task(ClosedStore& store, const TaskId& id, const AuditTold& told) {
  const std::string task = "task " + id.to_string();
  const auto fold = fold_whole(store, id);
  if (!fold) {
    if (!is_damage(fold.error().code)) return tl::unexpected(fold.error());
    told.problem(fmt::format("{} cannot go on: {}", task, fold.error().message));
    return {};
  }
  const core::TaskState& state = fold->task.state;
  TRY_ASSIGN(const TaskRows rows, store.reader().rows_of(id));
  const Status checked = any_damaged(rows) ? Status{} : check_all_rows(state, rows);
  if (!checked) told.problem(fmt::format("{}: {}", task, checked.error().message));
  if (const Status keys = check_keys(state, store.secret()); !keys) {
    told.problem(fmt::format("{}: {}", task, keys.error().message));
  }
  return {};
}

// Puts the rows of one task right.
class Mending {
 public:
  Mending(ClosedStore& store, const TaskId& id, const Fold& fold, const AuditTold& told)
      : store_(store), fold_(fold), told_(told), task_("task " + id.to_string()) {}

  Status run() {
    const core::TaskState& state = fold_.task.state;
    TRY_ASSIGN(const TaskRows rows, store_.reader().rows_of(state.id));
    if (any_damaged(rows) || !check_all_rows(state, rows)) TRY_STATUS(write_rows(rows));
    TRY_ASSIGN(const JournalPlace place, store_.place_of(state.id));
    if (fold_.has_end && place.other_tenant == 0 && place.has_head != state.ended.has_value()) {
      return {};
    }
    TRY_STATUS(store_.put_head(state.id, state.ended ? nullptr : &fold_.newest));
    if (!fold_.has_end && !state.ended) {
      note(fmt::format("its journal is taken to end with its newest frame, at record {}",
                       state.head));
    } else {
      note("what stands beside its frames was written again");
    }
    return {};
  }

 private:
  void note(const std::string& what) { told_.note(fmt::format("{}: {}", task_, what)); }

  // Rows that stand under their place with another content go first: the second commit writes them.
  Status write_rows(const TaskRows& rows) {
    const core::TaskState& state = fold_.task.state;
    Batch old;
    Batch anew;
    anew.rebuilt.push_back(row_of(fold_.task));
    std::set<TimerId> timers;
    std::set<Seq> interrupts;
    for (const TimerRow& row : rows.timers) {
      const auto said = state.timers.find(row.timer);
      if (!row.damaged && said != state.timers.end() && said->second.due_ms == row.due_ms) {
        timers.insert(row.timer);
      } else {
        old.timers_cleared.push_back(row);
        note(fmt::format("the row of timer '{}' was removed", row.timer));
      }
    }
    for (const InterruptRow& row : rows.interrupts) {
      if (says_the_same(row, state)) {
        interrupts.insert(row.seq);
      } else {
        old.interrupts_closed.push_back(row);
        note(fmt::format("the row of the question at record {} was removed", row.seq));
      }
    }
    for (const auto& [name, timer] : state.timers) {
      if (timers.contains(name)) continue;
      anew.timers_set.push_back({state.id, name, timer.due_ms});
      note(fmt::format("the row of timer '{}' was written again", name));
    }
    for (const auto& [seq, open] : state.interrupts) {
      if (interrupts.contains(seq)) continue;
      anew.interrupts_opened.push_back(row_of(state, seq));
      note(fmt::format("the row of the question at record {} was written again", seq));
    }
    if (!old.timers_cleared.empty() || !old.interrupts_closed.empty()) {
      TRY_STATUS(store_.commit(old));
    }
    TRY_STATUS(store_.commit(anew));
    note("its row was written again");
    return {};
  }

  ClosedStore& store_;
  const Fold& fold_;
  const AuditTold& told_;
  const std::string task_;
};

// The row of a damaged task that a person has ended is no more than that.
Status mend_given_up(ClosedStore& store, const TaskId& id, int64_t now_ms, const AuditTold& told) {
  TRY_ASSIGN(const TaskRows rows, store.reader().rows_of(id));
  if (!rows.task || says_given_up(*rows.task)) return {};
  TRY_ASSIGN(Salvage found, salvage(store.reader(), id, store.secret(), now_ms));
  Batch batch;
  batch.rebuilt.push_back(std::move(found.row));
  TRY_STATUS(store.commit(batch));
  told.note(
      fmt::format("task {}: its row was written again, as that of a damaged task that was "
                  "ended",
                  id.to_string()));
  return {};
}

Status keep(ClosedStore& store, std::optional<KeptRow> old, std::optional<KeptRow> anew) {
  Batch batch;
  if (old) {
    old->value.clear();
    batch.kept.push_back(std::move(*old));
  }
  if (anew) batch.kept.push_back(std::move(*anew));
  return store.commit(batch);
}

// What is known of a damage, once the rows are as they can be.
Status mend_damage(ClosedStore& store, Blobs& blobs, const std::set<TaskId>& given_up,
                   const KeptRow& row, int64_t now_ms, const AuditTold& told) {
  auto damage = damage_of(row);
  if (!damage) {
    told.note(fmt::format("the damaged row of {} '{}' was removed", row.kind, row.name));
    return keep(store, row, std::nullopt);
  }
  const std::string task = "task " + damage->task.to_string();
  const bool ended = given_up.contains(damage->task);
  if (ended && !row.damaged) return {};
  const auto fold = fold_whole(store, damage->task, &blobs);
  if (fold && !ended) {
    told.note(task + ": it is whole, and goes on");
    return keep(store, row, std::nullopt);
  }
  if (!fold && !is_damage(fold.error().code)) return tl::unexpected(fold.error());
  if (!row.damaged) return {};
  damage->tenant = tenant_of(store.reader(), damage->task);
  damage->found_ms = now_ms;
  if (!fold) damage->what = fold.error().message;
  if (ended) {
    damage->ended_ms = now_ms;
    damage->ended_by = "not known any more";
  }
  told.note(task + ": what is known of its damage was written again");
  return keep(store, row, row_of(*damage));
}

}  // namespace

Result<std::set<TaskId>> given_up(ClosedStore& store) {
  std::set<TaskId> out;
  TRY_STATUS(each_damage(store, [&](const KeptRow& row) -> Status {
    const auto damage = damage_of(row);
    if (!damage) return {};
    TRY_ASSIGN(const TaskRows rows, store.reader().rows_of(damage->task));
    if (damage->is_ended() || (rows.task && says_given_up(*rows.task))) out.insert(damage->task);
    return {};
  }));
  return out;
}

Status audit(ClosedStore& store, const std::set<TaskId>& given_up, const AuditTold& told) {
  return each_task(store, told, [&](const TaskId& id) -> Status {
    if (!given_up.contains(id)) return audit_task(store, id, told);
    told.note(fmt::format("task {} is damaged and was ended as such", id.to_string()));
    return {};
  });
}

Status mend(ClosedStore& store, Blobs& blobs, const std::set<TaskId>& given_up, int64_t now_ms,
            const AuditTold& told) {
  TRY_STATUS(each_task(store, told, [&](const TaskId& id) -> Status {
    if (given_up.contains(id)) return mend_given_up(store, id, now_ms, told);
    const auto fold = fold_whole(store, id);
    if (fold) return Mending(store, id, *fold, told).run();
    if (!is_damage(fold.error().code)) return tl::unexpected(fold.error());
    told.note(fmt::format("task {} stays as it is: {}", id.to_string(), fold.error().message));
    return {};
  }));
  return each_damage(store, [&](const KeptRow& row) {
    return mend_damage(store, blobs, given_up, row, now_ms, told);
  });
}

}  // namespace perdure::engine
