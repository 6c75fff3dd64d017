// GET /v1/tasks/{id}/damage, POST /v1/tasks/{id}/end-damaged, and how damaged tasks are shown
#include "api/damaged.h"

#include <fmt/core.h>

#include "api/plain_json.h"
#include "api/problem.h"
#include "api/routes.h"
#include "api/task_view.h"
#include "base/json_text.h"
#include "base/text.h"
#include "engine/salvage.h"

namespace perdure::api {
namespace {

constexpr const char* kOperatorsTenant = "default";

json::array effects_json(const std::vector<engine::OpenEffect>& effects) {
  json::array out;
  for (const engine::OpenEffect& effect : effects) {
    json::object one{{"step", effect.step}};
    if (!effect.name.empty()) {
      one[effect.kind == CallKind::kModel ? "model" : "tool"] = effect.name;
      one["effect"] = to_string(effect.effect);
    }
    one["attempts"] = effect.attempt;
    one["sent_at"] = to_rfc3339(effect.intended_ms);
    one["key"] = effect.key;
    out.push_back(std::move(one));
  }
  return out;
}

Response ended(Context& context, const Call& call, const TaskId& task) {
  ANSWER_ASSIGN(TaskRow row, find_task(context, call.tenant(), task));
  ANSWER_ASSIGN(const TaskView view, view_task(context, std::move(row)));
  return json_response(200, task_json(view));
}

Error not_damaged(Code code, const TaskRow& row) {
  return {code, fmt::format("task {} is not damaged: `perdure tasks cancel` ends it",
                            row.id.to_string())};
}

}  // namespace

json::object damage_json(const engine::Damage& damage) {
  json::object out{{"what", damage.what}};
  if (damage.record != 0) out["record"] = damage.record;
  if (damage.found_ms != 0) out["found_at"] = to_rfc3339(damage.found_ms);
  if (!damage.is_ended()) return out;
  out["ended_by"] = damage.ended_by;
  out["ended_at"] = to_rfc3339(damage.ended_ms);
  out["open_effects"] = effects_json(damage.effects);
  return out;
}

json::object damaged_task_json(const engine::Damage& damage) {
  const std::string id = damage.task.to_string();
  const std::string at = to_rfc3339(damage.task.created_ms());
  return {{"id", id},
          {"status", "damaged"},
          {"phase", to_string(Phase::kRunning)},
          {"agent", ""},
          {"created_at", at},
          {"updated_at", damage.found_ms != 0 ? to_rfc3339(damage.found_ms) : at},
          {"waiting_for", json::array()},
          {"usage", usage_json({})},
          {"metadata", json::object()},
          {"damage", damage_json(damage)},
          {"links", links_json(id)}};
}

engine::Damage damage_of_row(const Context& context, const TaskId& task) {
  if (auto known = context.parts.engine.quarantine().find(task)) return std::move(*known);
  engine::Damage damage;
  damage.task = task;
  damage.what = "the row of the task is not what was written";
  return damage;
}

std::optional<engine::Damage> find_damage(const Context& context, const std::string& tenant,
                                          const TaskId& task) {
  auto damage = context.parts.engine.quarantine().find(task);
  if (!damage) return std::nullopt;
  // Of a task whose owner cannot be read any more, the operator's own tenant is told.
  const std::string& owner = damage->tenant.empty() ? kOperatorsTenant : damage->tenant;
  if (owner != tenant) return std::nullopt;
  return damage;
}

// Also what ending it would say: a person looks before that.
Response get_damage(Context& context, const Call& call) {
  const auto id = TaskId::parse(call.segment(2));
  auto damage = id ? find_damage(context, call.tenant(), *id) : std::nullopt;
  if (!damage) {
    ANSWER_ASSIGN(const TaskRow row, find_task(context, call, call.segment(2)));
    return problem(not_damaged(Code::kNotFound, row));
  }
  if (!damage->is_ended()) {
    ANSWER_ASSIGN(engine::Salvage read,
                  engine::salvage(context.parts.reader, *id, context.parts.store_secret,
                                  context.parts.clock.unix_ms()));
    damage->effects = std::move(read.effects);
  }
  json::object shown = damage_json(*damage);
  shown["open_effects"] = effects_json(damage->effects);
  return json_response(
      200, json_text(json::object{{"task", id->to_string()}, {"damage", std::move(shown)}}));
}

void end_damaged_task(Context& context, Call call) {
  const auto refuse = [&](Response response) { call.responder->respond(std::move(response)); };
  const auto body = body_of(context, call);
  if (!body) return refuse(body.error());
  ObjectReader in(*body, "body");
  if (const Status read = in.finish(); !read) return refuse(problem(read.error()));
  const auto id = TaskId::parse(call.segment(2));
  const auto damage = id ? find_damage(context, call.tenant(), *id) : std::nullopt;
  if (!damage) {
    const auto row = find_task(context, call, call.segment(2));
    if (!row) return refuse(problem(row.error()));
    return refuse(problem(not_damaged(Code::kConflict, *row)));
  }
  const int64_t now_ms = context.parts.clock.unix_ms();
  auto read = engine::salvage(context.parts.reader, *id, context.parts.store_secret, now_ms);
  if (!read) return refuse(problem(read.error()));
  engine::EndDamaged end;
  end.damage = *damage;
  end.damage.ended_by = call.who->principal;
  end.damage.ended_ms = now_ms;
  end.damage.effects = std::move(read->effects);
  end.row = std::move(read->row);
  if (end.row.tenant.empty()) end.row.tenant = call.tenant();
  end.timers = std::move(read->timers);
  end.interrupts = std::move(read->interrupts);
  end.reply = [&context, call, task = *id](const Result<engine::Submitted>& done) {
    if (!done) return call.responder->respond(problem(done.error()));
    context.later(call.tenant(),
                  [&context, call, task] { call.responder->respond(ended(context, call, task)); });
  };
  context.parts.engine.end_damaged(std::move(end));
}

}  // namespace perdure::api
