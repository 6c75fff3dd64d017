#include "api/interrupt_view.h"

#include <fmt/core.h>

#include <algorithm>
#include <map>

#include "api/plain_json.h"
#include "base/json_text.h"
#include "base/text.h"
#include "core/decision.h"
#include "core/evolve.h"
#include "engine/journal_reader.h"
#include "engine/payload_reader.h"
#include "journal/key.h"
#include "journal/record_json.h"

namespace perdure::api {

namespace {

// The sends of every step: which of them is asked about is known only later.
class Sends {
 public:
  void see(const Record& record) {
    if (const auto* intent = std::get_if<StepIntended>(&record.body)) {
      of_step_[intent->step].push_back({intent->attempt, record.at_ms, std::nullopt, {}});
    } else if (const auto* settled = std::get_if<StepSettled>(&record.body)) {
      for (core::SentAttempt& sent : of_step_[settled->step]) {
        if (sent.attempt != settled->attempt) continue;
        sent.outcome = settled->outcome;
        sent.detail = settled->detail;
      }
    }
  }
  const std::vector<core::SentAttempt>& of(const StepId& step) { return of_step_[step]; }

 private:
  std::map<StepId, std::vector<core::SentAttempt>> of_step_;
};

}  // namespace

Result<Questions> read_questions(Context& context, const TaskId& task) {
  Questions questions;
  Sends sends;
  core::TaskState state;
  state.id = task;
  engine::JournalReader journal = context.journal(task, 1);
  for (;;) {
    TRY_ASSIGN(const Record* record, journal.next());
    if (record == nullptr) break;
    TRY_STATUS(core::evolve(state, *record));
    sends.see(*record);
    if (std::holds_alternative<InterruptRequested>(record->body)) {
      Question& question = questions[record->seq];
      question.asked = engine::question_of(state, record->seq);
      question.asked_ms = record->at_ms;
    } else if (const auto* resolved = std::get_if<InterruptResolved>(&record->body)) {
      const auto question = questions.find(resolved->interrupt_seq);
      if (question == questions.end()) continue;
      question->second.resolved = *resolved;
      question->second.resolved_ms = record->at_ms;
    }
  }
  for (auto& [seq, question] : questions) {
    const auto open = state.interrupts.find(seq);
    if (open != state.interrupts.end()) {
      question.asked.asking = open->second.asking;
      question.asked.reminders = open->second.reminders;
    }
    if (question.asked.step) question.sent = sends.of(question.asked.step_id);
  }
  return questions;
}

std::optional<Question> question_in(const InterruptRow& row) {
  auto asked = engine::question_in(row);
  if (!asked || !*asked) return std::nullopt;
  Question question;
  question.asked = std::move(**asked);
  question.asked_ms = row.created_ms;
  if (question.asked.step) question.sent = question.asked.step->sent;
  return question;
}

Error damage_of_row(Context& context, const InterruptRow& row) {
  return context.parts.engine.on_damage(
      row.task, 0,
      fmt::format("the row of the question at record {} is not what was written", row.seq));
}

namespace {

// The row of a question that is open.
Result<std::optional<InterruptRow>> find_row(Context& context, const std::string& tenant,
                                             const InterruptId& id) {
  InterruptQuery query;
  query.tenant = tenant;
  query.task = id.task;
  query.after = InterruptId{id.task, id.seq - 1};
  query.limit = 1;
  TRY_ASSIGN(std::vector<InterruptRow> rows, context.parts.reader.interrupts(query));
  if (rows.empty() || rows.front().seq != id.seq) return std::nullopt;
  if (rows.front().damaged) return tl::unexpected(damage_of_row(context, rows.front()));
  return std::move(rows.front());
}

// Of a step that was tried often a row has the newest attempts only.
bool says_all(const Question& question) {
  return !question.asked.step || question.asked.step->attempts == question.sent.size();
}

}  // namespace

Result<std::optional<Question>> read_question(Context& context, const std::string& tenant,
                                              const InterruptId& id) {
  if (id.seq == 0) return std::nullopt;
  TRY_ASSIGN(const auto row, find_row(context, tenant, id));
  std::optional<Question> question = row ? question_in(*row) : std::nullopt;
  if (question && says_all(*question)) return question;
  TRY_ASSIGN(Questions questions, read_questions(context, id.task));
  const auto found = questions.find(id.seq);
  if (found == questions.end()) return std::nullopt;
  return std::move(found->second);
}

namespace {

// How a person answers at a terminal. What is needed of a budget is the least that helps.
std::string command_of(const std::string& id, Decision decision, const json::object& body) {
  if (decision == Decision::kRespond) {
    const char* what = body.contains("value") ? "--value 'JSON'" : "'TEXT'";
    return fmt::format("perdure answer {} {}", id, what);
  }
  const bool named = decision == Decision::kApprove || decision == Decision::kEdit ||
                     decision == Decision::kReject;
  std::string command = named ? fmt::format("perdure {} {}", to_string(decision), id)
                              : fmt::format("perdure answer {} {}", id, to_string(decision));
  const json::value* add = body.if_contains("add");
  if (add == nullptr) return command;
  for (const auto& [member, flag] :
       {std::pair("cost_usd", "--add-usd"), std::pair("model_calls", "--add-model-calls"),
        std::pair("tool_calls", "--add-tool-calls")}) {
    const json::value* given = add->as_object().if_contains(member);
    if (given == nullptr) continue;
    const json::value& amount = *given;
    if (amount.to_number<double>() > 0) command += fmt::format(" {} {}", flag, json_text(amount));
  }
  return command;
}

CallKind kind_of(const Question& question) {
  return question.asked.step ? question.asked.step->kind : CallKind::kTool;
}

// The least that helps; what has no limit needs nothing.
json::object added(const engine::OpenQuestion& asked) {
  json::object add;
  if (asked.limits_cost) add["cost_usd"] = to_usd(asked.needed.cost_micro_usd);
  if (asked.limits_model_calls) add["model_calls"] = asked.needed.model_calls;
  if (asked.limits_tool_calls) add["tool_calls"] = asked.needed.tool_calls;
  return add;
}

// No text fits the schema that the question has.
bool wants_json(const json::object& shown) {
  const json::value* asked = shown.if_contains("question");
  const json::value* schema =
      asked != nullptr && asked->is_object() ? asked->get_object().if_contains("schema") : nullptr;
  const json::value* type =
      schema != nullptr && schema->is_object() ? schema->get_object().if_contains("type") : nullptr;
  return type != nullptr && *type != "string";
}

// `shown`: the question as it is shown by then.
json::array answers_to(const std::string& id, const Question& question, const json::object& shown) {
  json::array answers;
  const InterruptReason reason = question.asked.reason;
  for (const Decision decision : core::allowed_decisions(reason, kind_of(question))) {
    json::object body{{"decision", to_string(decision)}};
    if (decision == Decision::kEdit) body["args"] = json::object();
    if (decision == Decision::kRespond && wants_json(shown)) {
      body["value"] = nullptr;
    } else if (decision == Decision::kRespond) {
      body["message"] = "";
    }
    if (reason == InterruptReason::kBudgetReached && decision == Decision::kApprove) {
      body["add"] = added(question.asked);
    }
    answers.push_back({{"decision", to_string(decision)},
                       {"command", command_of(id, decision, body)},
                       {"request", "POST /v1/interrupts/" + id + "/resolve"},
                       {"body", std::move(body)}});
  }
  return answers;
}

json::array sent_json(const std::vector<core::SentAttempt>& sent) {
  json::array out;
  for (const core::SentAttempt& send : sent) {
    json::object one{{"attempt", send.attempt}, {"at", to_rfc3339(send.at_ms)}};
    if (send.outcome) {
      one["outcome"] = to_string(*send.outcome);
      if (!send.detail.empty()) one["detail"] = send.detail;
    }
    out.push_back(std::move(one));
  }
  return out;
}

// Who gets the call, and how to find out whether it arrived.
void put_place(json::object& action, Context& context, const Question& question,
               std::string_view args, std::string_view key) {
  const auto place = context.parts.tools.place(question.asked.step->name, args, key);
  if (!place) return;
  if (!place->to.empty()) action["to"] = place->to;
  if (!place->key_in.empty()) action["key_in"] = place->key_in;
  if (!place->check.empty()) {
    action["check"] = place->check;
  } else if (question.asked.reason == InterruptReason::kUncertainOutcome) {
    action["check"] = place->key_in.empty()
                          ? "look there for what these arguments would have done"
                          : "look there for this key, or for what these arguments would have done";
  }
}

Result<json::object> action_json(Context& context, const std::string& tenant, const TaskId& task,
                                 const Question& question) {
  const StepId& id = question.asked.step_id;
  const engine::AskedStep& step = *question.asked.step;
  Payload args = step.args;
  engine::PayloadReader payloads = context.payloads(tenant, task);
  TRY_STATUS(payloads.complete(args, kInlinePayloadMaxBytes));
  json::object action{{"step", id}};
  action[step.kind == CallKind::kModel ? "model" : "tool"] = step.name;
  put_payload(action, "args", args);
  if (args.bytes && action.contains("args") && is_valid_utf8(args.view()))
    action["args_text"] = args.view();
  action["args_sha256"] = to_hex(args.hash.view());
  action["effect"] = to_string(step.effect);
  action["attempts"] = step.attempts;
  if (!question.sent.empty()) action["sent"] = sent_json(question.sent);
  // The key of what was sent, or of the send that waits for this decision.
  const std::string key =
      key_of(context.parts.store_secret, task, id, std::max(step.group, 1u), args.hash);
  action["key"] = key;
  if (step.kind == CallKind::kTool) {
    put_place(action, context, question, args.bytes ? args.view() : "{}", key);
  }
  return action;
}

std::string_view status_of(const Question& question) {
  if (!question.resolved) return "open";
  if (question.resolved->decision == Decision::kWithdrawn) return "withdrawn";
  return question.resolved->expired ? "expired" : "resolved";
}

void put_resolution(json::object& out, const Question& question) {
  out["status"] = status_of(question);
  if (!question.resolved) return;
  out["decision"] = to_string(question.resolved->decision);
  out["resolved_at"] = to_rfc3339(question.resolved_ms);
  if (!question.resolved->by.empty()) out["resolved_by"] = question.resolved->by;
  if (!question.resolved->message.empty()) out["answer_message"] = question.resolved->message;
}

json::value json_of(const Payload& payload) {
  if (!payload.bytes) return payload_to_json(payload);
  auto value = parse_json(payload.view(), "payload", {.size_bytes = kInlinePayloadMaxBytes});
  return value ? std::move(*value) : json::value(payload.view());
}

// The question as it was asked; and what was given with the decision.
Status put_question(json::object& out, Context& context, const std::string& tenant,
                    const TaskId& task, const Question& question) {
  engine::PayloadReader payloads = context.payloads(tenant, task);
  TRY_ASSIGN(const Payload asked,
             payload_of(context, tenant, task, question, kInlinePayloadMaxBytes));
  if (asked.exists()) out["question"] = json_of(asked);
  if (!question.resolved || !question.resolved->given.exists()) return {};
  Payload given = question.resolved->given;
  TRY_STATUS(payloads.complete(given, kInlinePayloadMaxBytes));
  out["given"] = json_of(given);
  return {};
}

void put_asking(json::object& out, const Question& question) {
  const Asking& asking = question.asked.asking;
  if (!asking.assignees.empty()) {
    out["assignees"] = json::array(asking.assignees.begin(), asking.assignees.end());
  }
  if (!question.resolved && question.asked.reminders > 0) {
    out["reminders"] = question.asked.reminders;
  }
  if (asking.expires_ms == 0) return;
  out["expires_at"] = to_rfc3339(capped_sum(question.asked_ms, asking.expires_ms));
  out["on_expire"] = to_string(asking.on_expire);
}

}  // namespace

Result<Payload> payload_of(Context& context, const std::string& tenant, const TaskId& task,
                           const Question& question, size_t max_bytes) {
  if (question.asked.reason != InterruptReason::kQuestion) return Payload();
  const auto& step = question.asked.step;
  const bool of_step = step && step->executed_by == ExecutedBy::kPerson;
  Payload asked = of_step ? step->args : question.asked.question;
  engine::PayloadReader payloads = context.payloads(tenant, task);
  TRY_STATUS(payloads.complete(asked, max_bytes));
  return asked;
}

Result<json::object> view_question(Context& context, const std::string& tenant,
                                   const InterruptId& id, const Question& question) {
  const engine::OpenQuestion& asked = question.asked;
  const std::string text = id.to_string();
  json::object out{{"id", text}, {"task", id.task.to_string()}};
  put_resolution(out, question);
  out["agent"] = asked.agent;
  out["reason"] = to_string(asked.reason);
  out["message"] = asked.message;
  if (asked.step) {
    TRY_ASSIGN(out["action"], action_json(context, tenant, id.task, question));
  }
  TRY_STATUS(put_question(out, context, tenant, id.task, question));
  if (asked.needed != Usage{}) out["needed"] = usage_json(asked.needed);
  json::array allowed;
  for (const Decision decision : core::allowed_decisions(asked.reason, kind_of(question))) {
    allowed.emplace_back(to_string(decision));
  }
  out["allowed_decisions"] = std::move(allowed);
  out["created_at"] = to_rfc3339(question.asked_ms);
  put_asking(out, question);
  if (!question.resolved) out["answers"] = answers_to(text, question, out);
  return out;
}

}  // namespace perdure::api
