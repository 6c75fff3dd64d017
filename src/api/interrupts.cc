// GET /v1/interrupts, GET /v1/interrupts/{id}, POST /v1/interrupts/{id}/resolve
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "api/damaged.h"
#include "api/interrupt_view.h"
#include "api/problem.h"
#include "api/routes.h"
#include "api/task_view.h"
#include "base/json_text.h"
#include "base/text.h"
#include "journal/read_term.h"

namespace perdure::api {
namespace {

constexpr size_t kAskedMaxBytes = 4u << 20;  // a larger question takes any answer
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
  const double cost_usd = in.number("cost_usd", 0, kAddMaxUsd, 0);
  add.cost_micro_usd = std::llround(cost_usd * 1e6);
  if (cost_usd > 0 && add.cost_micro_usd == 0) in.fail_at("cost_usd", "expected 0.000001 or more");
  add.model_calls = in.integer("model_calls", 0, kAddMaxCalls, 0);
  add.tool_calls = in.integer("tool_calls", 0, kAddMaxCalls, 0);
  return in.finish();
}

// What only goes with one decision, and is said with another, would be lost.
void check_members(ObjectReader& in, Decision decision) {
  static constexpr struct {
    const char* member;
    Decision decision;
  } kGoesWith[] = {{"add", Decision::kApprove},
                   {"remember", Decision::kApprove},
                   {"result", Decision::kHappened},
                   {"args", Decision::kEdit},
                   {"value", Decision::kRespond}};
  for (const auto& [member, of] : kGoesWith) {
    if (in.has(member) && of != decision) {
      in.fail_at(member, fmt::format("only with the decision {}", to_string(of)));
    }
  }
}

Result<Resolve> read_decision(const json::value& body) {
  using enum Decision;
  ObjectReader in(body, "body");
  Resolve decision;
  if (!in.has("decision")) in.fail_at("decision", "is missing");
  decision.decision =
      read_term<kApprove, kEdit, kReject, kRespond, kHappened, kNotHappened, kDismiss>(
          in, "decision", kApprove);
  decision.message = in.string("message", "");
  if (decision.message.size() > kRemarkMaxBytes) {
    in.fail_at("message", fmt::format("longer than {} bytes", kRemarkMaxBytes));
  }
  decision.remember = in.boolean("remember", false);
  const json::value* add = in.value("add");
  const json::value* result = in.value("result");
  const json::value* args = in.value("args");
  const json::value* value = in.value("value");
  if (in.has("args_sha256")) {
    decision.args_hash = parse_sha256(in.string("args_sha256"));
    if (!decision.args_hash) in.fail_at("args_sha256", "expected 64 hexadecimal digits");
  } else {
    in.value("args_sha256");
  }
  check_members(in, decision.decision);
  if (decision.decision == Decision::kEdit && args == nullptr) in.fail_at("args", "is missing");
  const bool responds = decision.decision == Decision::kRespond;
  if (responds && (value != nullptr) == in.has("message")) {
    in.fail_at("message", "expected one of message and value");
  }
  TRY_STATUS(in.finish());
  if (add != nullptr) TRY_STATUS(read_added(*add, decision.add));
  if (result != nullptr) decision.given = Payload::of(to_canonical_json(*result));
  if (args != nullptr) decision.given = Payload::of(to_canonical_json(*args));
  if (!responds) return decision;
  decision.given = Payload::of(to_canonical_json(
      value != nullptr ? *value : json::value(std::exchange(decision.message, {}))));
  return decision;
}

// What the row alone says: one damaged task must not hide the questions of the others.
json::object unreadable(const InterruptRow& row, const Error& error) {
  return {{"id", InterruptId{row.task, row.seq}.to_string()},
          {"task", row.task.to_string()},
          {"status", engine::is_damage(error.code) ? "damaged" : "open"},
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

constexpr std::string_view kStatuses[] = {"open", "resolved", "expired", "withdrawn", "all"};
constexpr uint64_t kLookedAtMax = 2'000;  // rows for one page, where few of them are wanted
constexpr int64_t kPageMaxUs = 250'000;   // the same; a page may be short, and has a cursor then

struct Wanted {
  std::string status;
  std::optional<std::string> assignee;

  bool is(const json::object& interrupt) const {
    if (status != "all" && interrupt.at("status").get_string() != status) return false;
    if (!assignee) return true;
    const json::value* assignees = interrupt.if_contains("assignees");
    if (assignees == nullptr) return false;
    const json::array& names = assignees->get_array();
    return std::find(names.begin(), names.end(), json::value(*assignee)) != names.end();
  }
};

struct Page {
  json::array shown;
  std::optional<InterruptId> next;  // there are more behind this one
};

Response page_response(Page page) {
  json::object out;
  out["interrupts"] = std::move(page.shown);
  out["next_cursor"] = page.next ? json::value(page.next->to_string()) : json::value();
  return json_response(200, json_text(out));
}

// The questions of rows. Of a row that does not say what is shown the journal is read, once for all
// of its task's rows on a page: they come one after another.
class Inbox {
 public:
  Inbox(Context& context, const std::string& tenant) : context_(context), tenant_(tenant) {}

  // Nothing: it was decided since its row was read.
  Result<std::optional<json::object>> look_at(const InterruptRow& row) {
    if (const auto damage = find_damage(context_, tenant_, row.task)) {
      return tl::unexpected(engine::error_of(*damage));
    }
    if (row.damaged) return tl::unexpected(damage_of_row(context_, row));
    const InterruptId id{row.task, row.seq};
    if (const auto question = question_in(row)) {
      return view_question(context_, tenant_, id, *question);
    }
    if (!read_ || task_ != row.task) {
      task_ = row.task;
      read_ = read_questions(context_, row.task);
    }
    if (!*read_) return tl::unexpected(read_->error());
    const auto question = (*read_)->find(row.seq);
    if (question == (*read_)->end()) return std::nullopt;
    return view_question(context_, tenant_, id, question->second);
  }

 private:
  Context& context_;
  const std::string& tenant_;
  TaskId task_;
  std::optional<Result<Questions>> read_;  // of task_
};

Status read_inbox(Context& context, InterruptQuery query, const Wanted& wanted, Page& page) {
  Inbox inbox(context, query.tenant);
  const size_t limit = query.limit;
  query.limit = limit + 1;
  const int64_t until_us = context.parts.clock.monotonic_us() + kPageMaxUs;
  for (uint64_t looked_at = 0;
       looked_at < kLookedAtMax && context.parts.clock.monotonic_us() < until_us;) {
    TRY_ASSIGN(const std::vector<InterruptRow> rows, context.parts.reader.interrupts(query));
    for (size_t i = 0; i < rows.size() && i < limit; ++i, ++looked_at) {
      const InterruptId id{rows[i].task, rows[i].seq};
      query.after = id;
      auto interrupt = inbox.look_at(rows[i]);
      if (!interrupt) {
        page.shown.push_back(unreadable(rows[i], interrupt.error()));
      } else if (*interrupt && wanted.is(**interrupt)) {
        page.shown.push_back(std::move(**interrupt));
      }
      const bool more = i + 1 < rows.size();
      if (page.shown.size() == limit || !more) {
        if (more) page.next = id;
        return {};
      }
    }
    if (rows.empty()) return {};
  }
  page.next = query.after;
  return {};
}

// Of one task, those of the past too.
Response list_of_task(Context& context, const InterruptQuery& query, const Wanted& wanted) {
  ANSWER_ASSIGN(const Questions questions, read_questions(context, *query.task));
  Page page;
  auto question = query.after ? questions.upper_bound(query.after->seq) : questions.begin();
  for (; question != questions.end() && page.shown.size() < query.limit; ++question) {
    page.next = InterruptId{*query.task, question->first};
    ANSWER_ASSIGN(auto interrupt,
                  view_question(context, query.tenant, *page.next, question->second));
    if (wanted.is(interrupt)) page.shown.push_back(std::move(interrupt));
  }
  if (question == questions.end()) page.next.reset();
  return page_response(std::move(page));
}

}  // namespace

Response list_interrupts(Context& context, const Call& call) {
  QueryReader query(call.query());
  InterruptQuery asked;
  asked.tenant = call.tenant();
  asked.limit = query.page_limit();
  asked.assignee = query.text("assignee");
  const auto status = query.text("status");
  const auto task = query.text("task");
  if (const auto cursor = query.text("cursor")) {
    asked.after = InterruptId::parse(*cursor);
    if (!asked.after) query.fail_at("cursor", "not a cursor of this list");
  }
  const std::string wanted = status.value_or("open");
  if (std::find(std::begin(kStatuses), std::end(kStatuses), wanted) == std::end(kStatuses)) {
    query.fail_at("status", "expected open, resolved, expired, withdrawn or all");
  } else if (wanted != "open" && !task) {
    query.fail_at("status", "the questions of the past are listed by task: add task=ID");
  }
  ANSWER_STATUS(query.finish());
  const Wanted filter{wanted, asked.assignee};
  if (task) {
    ANSWER_ASSIGN(const TaskRow row, find_task(context, call, *task));
    asked.task = row.id;
    if (wanted != "open") return list_of_task(context, asked, filter);
  }
  Page page;
  ANSWER_STATUS(read_inbox(context, std::move(asked), filter, page));
  return page_response(std::move(page));
}

Response get_interrupt(Context& context, const Call& call) {
  ANSWER_ASSIGN(const auto found, find_interrupt(context, call));
  ANSWER_ASSIGN(const auto question, read_question(context, call.tenant(), found.first));
  if (!question) return problem(unknown_interrupt());
  ANSWER_ASSIGN(const auto shown, view_question(context, call.tenant(), found.first, *question));
  return json_response(200, json_text(shown));
}

void resolve_interrupt(Context& context, Call call) {
  const auto refuse = [&](Response response) { call.responder->respond(std::move(response)); };
  const auto body = body_of(context, call);
  if (!body) return refuse(body.error());
  auto decision = read_decision(*body);
  if (!decision) return refuse(problem(decision.error()));
  const auto found = find_interrupt(context, call);
  if (!found) return refuse(problem(found.error()));
  const auto read = read_question(context, call.tenant(), found->first);
  if (!read) return refuse(problem(read.error()));
  if (!*read) return refuse(problem(unknown_interrupt()));
  const Question& question = **read;
  const InterruptId id = found->first;
  const Decision word = decision->decision;
  Result<Payload> asked = Payload();
  if (word == Decision::kRespond) {  // a question that cannot be read can still be rejected
    asked = payload_of(context, call.tenant(), id.task, question, kAskedMaxBytes);
  }
  if (!asked) return refuse(problem(asked.error()));
  decision->interrupt_seq = id.seq;
  decision->by = call.who->principal;
  const auto& step = question.asked.step;
  engine::Decided about{call.tenant(), question.asked.agent_version,
                        step ? step->name : std::string(), std::move(*asked)};
  context.parts.engine.resolve(
      id.task, about, std::move(*decision),
      [responder = call.responder, id, word](const Result<engine::Submitted>& result) {
        responder->respond(result ? resolved(id, word, *result) : problem(result.error()));
      });
}

}  // namespace perdure::api
