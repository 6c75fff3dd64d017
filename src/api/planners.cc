// POST /v1/planners/{name}/poll and /turns: the door for planners in other processes. The forms are
// those of journal/turn_json.h.
#include <fmt/core.h>

#include "api/problem.h"
#include "api/routes.h"
#include "api/task_view.h"
#include "base/json_text.h"
#include "base/percent.h"
#include "engine/journal_reader.h"
#include "engine/payload_reader.h"
#include "journal/turn_json.h"

namespace perdure::api {
namespace {

constexpr size_t kPlanPayloadMaxBytes = 64u << 20;

OrResponse<std::string> planner_name(const Call& call) {
  auto name = percent_decode(call.segment(2));
  if (!name || name->empty() || name->size() > kNameMaxBytes) {
    return tl::unexpected(problem(404, "not_found", "this is not the name of a planner"));
  }
  if (*name == kAgentPlanner || *name == kScriptPlanner) {
    return tl::unexpected(
        problem(403, "forbidden", fmt::format("'{}' is a planner of the server itself", *name)));
  }
  return std::move(*name);
}

// The records behind the last turn, from the store where the engine did not bring them.
Status complete_news(Context& context, PlanRequest& request) {
  const Seq from = request.after_seq + 1;
  const Seq until = request.news.empty() ? request.plan.upto_seq + 1 : request.news.front().seq;
  std::vector<Record> records;
  engine::JournalReader journal = context.journal(request.task, from);
  while (from + records.size() < until) {
    TRY_ASSIGN(Record * record, journal.next());
    if (record == nullptr) return fail(Code::kCorrupt, "records of a plan are missing");
    records.push_back(std::move(*record));
  }
  records.insert(records.end(), std::make_move_iterator(request.news.begin()),
                 std::make_move_iterator(request.news.end()));
  request.news = std::move(records);
  engine::PayloadReader payloads = context.payloads(request.tenant, request.task);
  TRY_STATUS(payloads.complete(request.state, kPlanPayloadMaxBytes));
  TRY_STATUS(payloads.complete(request.input, kPlanPayloadMaxBytes));
  for (Record& record : request.news) {
    if (Payload* payload = payload_of(record.body)) {
      TRY_STATUS(payloads.complete(*payload, kPlanPayloadMaxBytes));
    }
  }
  return {};
}

Result<std::string> plan_text(Context& context, PlanRequest& request) {
  TRY_STATUS(complete_news(context, request));
  const RemotePlan plan{request.task,  request.plan,  request.after_seq,
                        request.state, request.input, request.news};
  TRY_ASSIGN(json::object shown, plan_to_json(plan));
  json::object out;
  out["plan"] = std::move(shown);
  out["lease_s"] = static_cast<double>(context.parts.planners.lease_ms()) / 1000;
  return json_text(out);
}

Response plan_response(Context& context, const std::string& name,
                       std::optional<PlanRequest> request) {
  Response nothing;
  nothing.status = 204;
  if (!request) return nothing;
  auto text = plan_text(context, *request);
  if (text) return json_response(200, std::move(*text));
  context.parts.planners.give_up(name, request->task, request->plan.turn, text.error());
  return problem(text.error());
}

// The version of the agent that the turn's task pins; kNotFound if the task is not one of this
// planner's and this tenant's.
Result<std::string> agent_version_of(Context& context, const Call& call, const std::string& name,
                                     const TaskId& task, uint64_t turn) {
  if (const auto leased = context.parts.planners.lease_of(name, task, turn);
      leased && leased->tenant == call.tenant()) {
    return leased->agent_version;
  }
  TRY_ASSIGN(const TaskRow row, find_task(context, call.tenant(), task));
  if (row.planner != name) {
    return fail(Code::kNotFound, "there is no task " + task.to_string() + " of this planner");
  }
  engine::JournalReader journal = context.journal(task, 1);
  TRY_ASSIGN(const Record* record, journal.next());
  if (record == nullptr || !std::holds_alternative<TaskCreated>(record->body)) {
    return fail(Code::kCorrupt, task.to_string() + ": the journal's beginning is missing");
  }
  return std::get<TaskCreated>(record->body).agent_version;
}

Response turn_response(const Result<engine::Submitted>& result) {
  if (result) {
    return json_response(200, result->repeated ? R"({"accepted":true,"repeated":true})"
                                               : R"({"accepted":true,"repeated":false})");
  }
  const Error& error = result.error();
  if (error.code == Code::kConflict) return problem(409, "stale_turn", error.message);
  if (error.code == Code::kInvalid) return problem(422, "malformed_turn", error.message);
  return problem(error);
}

}  // namespace

void poll_planner(Context& context, Call call) {
  const auto refuse = [&](Response response) { call.responder->respond(std::move(response)); };
  const auto name = planner_name(call);
  if (!name) return refuse(name.error());
  const auto body = body_of(context, call);
  if (!body) return refuse(body.error());
  ObjectReader in(*body, "body");
  const std::string version = in.string("version");
  if (version.empty() || version.size() > kNameMaxBytes) {
    in.fail_at("version", fmt::format("expected 1 to {} bytes", kNameMaxBytes));
  }
  const int64_t wait_s = in.integer("wait_s", 0, INT32_MAX, 0);
  if (const Status read = in.finish(); !read) return refuse(problem(read.error()));
  RemotePlanners& planners = context.parts.planners;
  if (planners.add(*name, call.tenant()) == nullptr) {
    return refuse(problem(422, "too_many_planners",
                          "this tenant uses as many names of planners as one tenant may"));
  }
  const int64_t wait_ms = std::min(wait_s * 1000, context.parts.limits.wait_max_ms);
  const uint64_t ticket = planners.poll(
      *name, call.tenant(), version, wait_ms,
      [&context, name = *name, responder = call.responder](std::optional<PlanRequest> request) {
        responder->respond(plan_response(context, name, std::move(request)));
      });
  call.responder->on_disconnect(
      [&planners, name = *name, ticket] { planners.leave(name, ticket); });
}

void answer_turn(Context& context, Call call) {
  const auto refuse = [&](Response response) { call.responder->respond(std::move(response)); };
  const auto name = planner_name(call);
  if (!name) return refuse(name.error());
  JsonLimits limits = kTurnJsonLimits;
  limits.members = context.parts.limits.json_members;
  const auto body = parse_json(masked_body(context, call), "body", limits);
  if (!body && body.error().code == Code::kInvalid) {
    return refuse(problem(400, "invalid_json", body.error().message));
  }
  if (!body) return refuse(problem(body.error()));
  auto read = remote_turn_from_json(*body);
  if (!read && read.error().code == Code::kInvalid) {
    return refuse(problem(422, "malformed_turn", read.error().message));
  }
  if (!read) return refuse(problem(read.error()));
  const TaskId task = read->task;
  const auto position = std::visit(
      [](const auto& answer) { return std::pair(answer.turn, answer.upto_seq); }, read->answer);
  const auto agent_version = agent_version_of(context, call, *name, task, position.first);
  if (!agent_version) return refuse(problem(agent_version.error()));
  auto reply = [&context, responder = call.responder, name = *name, task,
                position](const Result<engine::Submitted>& result) {
    const bool definite =
        result || result.error().code == Code::kConflict || result.error().code == Code::kInvalid;
    if (definite) context.parts.planners.settled(name, task, position.first, position.second);
    responder->respond(turn_response(result));
  };
  if (auto* rejection = std::get_if<RejectTurn>(&read->answer)) {
    return context.parts.engine.command(task, std::move(*rejection), std::move(reply),
                                        call.tenant());
  }
  auto& answer = std::get<AnswerTurn>(read->answer);
  context.parts.engine.answer(task, call.tenant(), *agent_version, std::move(answer),
                              std::move(reply));
}

}  // namespace perdure::api
