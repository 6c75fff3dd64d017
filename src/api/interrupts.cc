// GET /v1/interrupts, GET /v1/interrupts/{id}, POST /v1/interrupts/{id}/resolve
#include <fmt/core.h>

#include <cmath>

#include "api/interrupt_view.h"
#include "api/json_text.h"
#include "api/problem.h"
#include "api/routes.h"
#include "api/task_view.h"
#include "base/text.h"
#include "engine/stow.h"

namespace perdure::api {
namespace {

constexpr uint64_t kListMax = 200;
constexpr size_t kMessageMaxBytes = 4096;
constexpr int64_t kAddMaxCalls = 1'000'000'000;
constexpr double kAddMaxUsd = 1e6;

Error unknown_interrupt() {
  return {Code::kNotFound, "there is no such interrupt"};
}

// The id and the task that asks; foreign ones are unknown.
Result<std::pair<InterruptId, TaskRow>> find_interrupt(Context& context, const Call& call) {
  const auto id = InterruptId::parse(call.segment(2));
  if (!id) return tl::unexpected(unknown_interrupt());
  auto row = find_task(context, call.tenant(), id->task);
  if (!row) {
    return tl::unexpected(row.error().code == Code::kNotFound ? unknown_interrupt() : row.error());
  }
  return std::pair(*id, std::move(*row));
}

Status read_added(const json::value& value, Usage& add) {
  ObjectReader in(value, "body.add");
  add.cost_micro_usd = std::llround(in.number("cost_usd", 0, kAddMaxUsd, 0) * 1e6);
  add.model_calls = in.integer("model_calls", 0, kAddMaxCalls, 0);
  add.tool_calls = in.integer("tool_calls", 0, kAddMaxCalls, 0);
  return in.finish();
}

std::optional<Sha256> hash_from_hex(std::string_view text) {
  const auto bytes = from_hex(text);
  Sha256 hash;
  if (!bytes || bytes->size() != hash.bytes.size()) return std::nullopt;
  std::copy(bytes->begin(), bytes->end(), hash.bytes.begin());
  return hash;
}

Result<Resolve> read_decision(const json::value& body) {
  static constexpr Decision kDecisions[] = {Decision::kApprove, Decision::kReject,
                                            Decision::kHappened, Decision::kNotHappened,
                                            Decision::kDismiss};
  ObjectReader in(body, "body");
  Resolve decision;
  if (!in.has("decision")) in.fail_at("decision", "is missing");
  decision.decision = kDecisions[in.choice(
      "decision", {"approve", "reject", "happened", "not_happened", "dismiss"}, 0)];
  decision.message = in.string("message", "");
  if (decision.message.size() > kMessageMaxBytes) {
    in.fail_at("message", fmt::format("longer than {} bytes", kMessageMaxBytes));
  }
  decision.remember = in.boolean("remember", false);
  const json::value* add = in.value("add");
  const json::value* result = in.value("result");
  if (in.has("args_sha256")) {
    decision.args_hash = hash_from_hex(in.string("args_sha256"));
    if (!decision.args_hash) in.fail_at("args_sha256", "expected 64 hexadecimal digits");
  } else {
    in.value("args_sha256");
  }
  const bool approves = decision.decision == Decision::kApprove;
  if (add != nullptr && !approves) in.fail_at("add", "only with the decision approve");
  if (decision.remember && !approves) in.fail_at("remember", "only with the decision approve");
  if (result != nullptr && decision.decision != Decision::kHappened) {
    in.fail_at("result", "only with the decision happened");
  }
  TRY_STATUS(in.finish());
  if (add != nullptr) TRY_STATUS(read_added(*add, decision.add));
  if (result != nullptr) decision.result = Payload::of(to_canonical_json(*result));
  return decision;
}

// What the row alone says: one damaged task must not hide the questions of the others.
json::object unreadable(const InterruptRow& row, const Error& error) {
  return {{"id", InterruptId{row.task, row.seq}.to_string()},
          {"task", row.task.to_string()},
          {"status", "open"},
          {"reason", to_string(row.reason)},
          {"message", "this question cannot be shown or answered now: " + error.message},
          {"allowed_decisions", json::array()},
          {"created_at", to_rfc3339(row.created_ms)}};
}

Response resolved(const InterruptId& id, Decision decision, const engine::Submitted& done) {
  const json::object out{{"id", id.to_string()},
                         {"task", id.task.to_string()},
                         {"status", "resolved"},
                         {"decision", to_string(decision)},
                         {"repeated", done.repeated}};
  return json_response(200, json_text(out));
}

}  // namespace

Response list_interrupts(Context& context, const Call& call) {
  QueryReader query(call.query());
  const uint64_t limit = query.number("limit", 1, kListMax, 50);
  std::optional<InterruptId> after;
  if (const auto cursor = query.text("cursor")) {
    after = InterruptId::parse(*cursor);
    if (!after) query.fail_at("cursor", "not a cursor of this list");
  }
  ANSWER_STATUS(query.finish());
  ANSWER_ASSIGN(const std::vector<InterruptRow> rows,
                context.parts.reader.interrupts(call.tenant(), after, limit + 1));
  json::array shown;
  for (size_t i = 0; i < rows.size() && i < limit; ++i) {
    const InterruptId id{rows[i].task, rows[i].seq};
    auto interrupt = view_interrupt(context, call.tenant(), id);
    if (!interrupt) {
      shown.push_back(unreadable(rows[i], interrupt.error()));
    } else if (*interrupt && (*interrupt)->at("status") == "open") {
      shown.push_back(std::move(**interrupt));
    }  // else it was decided since the rows were read, and is no longer in the inbox
  }
  json::object out;
  out["interrupts"] = std::move(shown);
  out["next_cursor"] =
      rows.size() > limit
          ? json::value(InterruptId{rows[limit - 1].task, rows[limit - 1].seq}.to_string())
          : json::value();
  return json_response(200, json_text(out));
}

Response get_interrupt(Context& context, const Call& call) {
  ANSWER_ASSIGN(const auto found, find_interrupt(context, call));
  ANSWER_ASSIGN(const auto shown, view_interrupt(context, call.tenant(), found.first));
  if (!shown) return problem(unknown_interrupt());
  return json_response(200, json_text(*shown));
}

void resolve_interrupt(Context& context, Call call) {
  const auto refuse = [&](Response response) { call.responder->respond(std::move(response)); };
  const auto body = body_of(context, call);
  if (!body) return refuse(body.error());
  auto decision = read_decision(*body);
  if (!decision) return refuse(problem(decision.error()));
  const auto found = find_interrupt(context, call);
  if (!found) return refuse(problem(found.error()));
  if (const Status stowed = engine::stow(context.parts.blobs, call.tenant(), decision->result);
      !stowed) {
    return refuse(problem(stowed.error()));
  }
  const InterruptId id = found->first;
  const Decision word = decision->decision;
  decision->interrupt_seq = id.seq;
  decision->by = call.who->principal;
  context.parts.engine.command(
      id.task, std::move(*decision),
      [responder = call.responder, id, word](const Result<engine::Submitted>& result) {
        responder->respond(result ? resolved(id, word, *result) : problem(result.error()));
      });
}

}  // namespace perdure::api
