#include "api/task_view.h"

#include <fmt/core.h>

#include "api/agent_change.h"
#include "api/damaged.h"
#include "api/plain_json.h"
#include "base/hash.h"
#include "base/json_text.h"
#include "base/text.h"
#include "core/evolve.h"
#include "engine/journal_reader.h"
#include "engine/payload_reader.h"
#include "engine/rows.h"
#include "journal/turn_json.h"

namespace perdure::api {
namespace {

json::value parsed_or_null(const std::string& text) {
  auto value = parse_json(text, "stored");
  return value ? std::move(*value) : json::value();
}

void put_end(json::object& out, const core::Ending& end) {
  put_payload(out, "result", end.result);
  out["stop_reason"] = to_string(end.stop_reason);
  if (end.status != TaskStatus::kCompleted) {
    out["error"] = {{"stop_reason", to_string(end.stop_reason)}, {"message", end.message}};
  }
}

void put_damage(json::object& out, const engine::Damage& damage) {
  out["stop_reason"] = "damaged";
  out["error"] = {{"stop_reason", "damaged"}, {"message", damage.what}};
  out["damage"] = damage_json(damage);
}

core::Ending ending_of(const Record& record, const TaskEnded& body) {
  return {body.status, body.stop_reason, body.message, body.result, record.seq};
}

// Of a journal that is too long to be folded: its beginning and its end.
Status read_edges(Context& context, TaskView& view) {
  engine::JournalReader first = context.journal(view.row.id, 1);
  TRY_ASSIGN(const Record* created, first.next());
  if (created != nullptr && std::holds_alternative<TaskCreated>(created->body)) {
    view.limits = std::get<TaskCreated>(created->body).limits;
  }
  if (view.row.ended_seq == 0) return {};
  engine::JournalReader last = context.journal(view.row.id, view.row.ended_seq);
  TRY_ASSIGN(const Record* ended, last.next());
  if (ended != nullptr && std::holds_alternative<TaskEnded>(ended->body)) {
    view.ended = ending_of(*ended, std::get<TaskEnded>(ended->body));
  }
  return {};
}

}  // namespace

json::object links_json(const std::string& id) {
  const std::string self = "/v1/tasks/" + id;
  return {{"self", self}, {"events", self + "/events"}, {"journal", self + "/journal"}};
}

Result<TaskRow> find_task(Context& context, const std::string& tenant, const TaskId& id) {
  const auto damage = find_damage(context, tenant, id);
  if (damage && !damage->is_ended()) return tl::unexpected(engine::error_of(*damage));
  auto read = context.parts.reader.task(id);
  if (!read && engine::is_damage(read.error().code)) {
    read = context.parts.reader.task(id);
    if (!read && engine::is_damage(read.error().code)) {
      return tl::unexpected(context.parts.engine.on_damage(id, 0, read.error().message));
    }
  }
  TRY_ASSIGN(std::optional<TaskRow> row, std::move(read));
  if (!row || row->tenant != tenant) {
    return fail(Code::kNotFound, "there is no task " + id.to_string());
  }
  return std::move(*row);
}

Result<TaskRow> find_task(Context& context, const Call& call, std::string_view id) {
  const auto parsed = TaskId::parse(id);
  if (!parsed) return fail(Code::kNotFound, "this is not the id of a task");
  return find_task(context, call.tenant(), *parsed);
}

Result<core::TaskState> fold_task(Context& context, const TaskId& id, Seq upto_seq) {
  core::TaskState state;
  state.id = id;
  engine::JournalReader journal = context.journal(id, 1);
  while (upto_seq == 0 || state.head < upto_seq) {
    TRY_ASSIGN(const Record* record, journal.next());
    if (record == nullptr) break;
    TRY_STATUS(core::evolve(state, *record));
  }
  if (state.head < upto_seq) {
    return fail(Code::kInvalid,
                fmt::format("the journal ends at record {}, there is no {}", state.head, upto_seq));
  }
  return state;
}

Result<TaskView> view_task(Context& context, TaskRow row) {
  TaskView view;
  view.damage = context.parts.engine.quarantine().find(row.id);
  if (view.damage && view.damage->is_ended()) {
    view.row = std::move(row);
    return view;
  }
  core::TaskState state;
  state.id = row.id;
  engine::JournalReader journal = context.journal(row.id, 1);
  bool whole = false;
  while (journal.bytes() <= context.parts.limits.fold_bytes_max) {
    TRY_ASSIGN(const Record* record, journal.next());
    whole = record == nullptr;
    if (whole) break;
    TRY_STATUS(core::evolve(state, *record));
  }
  view.row = std::move(row);
  if (whole && !state.ended) {
    view.agent_change =
        agent_change(context.parts.agents, view.row.tenant, view.row.agent, state.agent_version);
  }
  if (whole) {
    view.limits = state.limits;
    view.ended = state.ended;
    view.state = std::move(state);
  } else {
    TRY_STATUS(read_edges(context, view));
  }
  if (view.ended) {
    engine::PayloadReader payloads = context.payloads(view.row.tenant, view.row.id);
    TRY_STATUS(payloads.complete(view.ended->result, kTurnPayloadMaxBytes));
  }
  return view;
}

TaskStatus status_of(const TaskView& view) {
  return view.state ? core::status_of(*view.state) : view.row.status;
}

bool asks_somebody(const TaskView& view) {
  if (view.state) return !view.state->interrupts.empty();
  return view.row.waiting_for.find(R"("kind":"interrupt")") != std::string::npos;
}

std::string etag_of(const TaskView& view) {
  if (!view.state) return fmt::format("\"row-{}\"", view.row.head);
  if (view.agent_change.is_null()) return fmt::format("\"{}\"", view.state->head);
  const std::string change = to_hex(sha256(to_json(view.agent_change)).view()).substr(0, 8);
  return fmt::format("\"{}-{}\"", view.state->head, change);
}

std::string task_json(const TaskView& view) {
  const core::TaskState* state = view.state ? &*view.state : nullptr;
  const std::string id = view.row.id.to_string();
  json::object out;
  out["id"] = id;
  out["status"] = to_string(status_of(view));
  out["phase"] = to_string(state != nullptr ? core::phase_of(*state) : view.row.phase);
  out["created_at"] = to_rfc3339(view.row.id.created_ms());
  out["updated_at"] = to_rfc3339(state != nullptr ? state->last_ms : view.row.updated_ms);
  out["agent"] = view.row.agent;
  if (state != nullptr && !state->agent_version.empty()) {
    out["agent_version"] = state->agent_version;
  }
  if (!view.agent_change.is_null()) out["agent_change"] = view.agent_change;
  if (!view.row.session.empty()) out["session"] = view.row.session;
  out["waiting_for"] = state != nullptr ? json::value(engine::waits_of(*state))
                                        : parsed_or_null(view.row.waiting_for);
  out["usage"] = state != nullptr ? usage_json(state->spent, state->unpriced_calls)
                                  : usage_json(view.row.used);
  out["budget"] = limits_json(view.limits);
  if (view.ended) put_end(out, *view.ended);
  if (view.damage) put_damage(out, *view.damage);
  out["metadata"] = parsed_or_null(view.row.metadata);
  out["links"] = links_json(id);
  return json_text(out);
}

NewTaskText::NewTaskText(const Submit& submit, const json::value& metadata) {
  json::object out{{"agent", submit.agent}};
  if (!submit.agent_version.empty()) out["agent_version"] = submit.agent_version;
  if (!submit.session.empty()) out["session"] = submit.session;
  out["waiting_for"] = json::array();
  out["usage"] = usage_json({});
  out["budget"] = limits_json(submit.limits);
  out["metadata"] = metadata;
  middle_ = json_text(out);
  middle_.front() = ',';
  middle_.pop_back();
}

std::string NewTaskText::of(const TaskId& id) const {
  const std::string text = id.to_string();
  const std::string at = to_rfc3339(id.created_ms());
  std::string out;
  out.reserve(middle_.size() + 400);
  out += "{\"id\":\"";
  out += text;
  out += "\",\"status\":\"pending\",\"phase\":\"running\",\"created_at\":\"";
  out += at;
  out += "\",\"updated_at\":\"";
  out += at;
  out += '"';
  out += middle_;
  out += ",\"links\":";
  append_json(out, links_json(text));
  out += '}';
  return out;
}

json::object task_summary_json(const TaskRow& row) {
  const std::string id = row.id.to_string();
  json::object out{{"id", id},
                   {"status", to_string(row.status)},
                   {"phase", to_string(row.phase)},
                   {"agent", row.agent},
                   {"created_at", to_rfc3339(row.id.created_ms())},
                   {"updated_at", to_rfc3339(row.updated_ms)},
                   {"waiting_for", parsed_or_null(row.waiting_for)},
                   {"usage", usage_json(row.used)},
                   {"metadata", parsed_or_null(row.metadata)},
                   {"links", links_json(id)}};
  if (!row.session.empty()) out["session"] = row.session;
  return out;
}

}  // namespace perdure::api
