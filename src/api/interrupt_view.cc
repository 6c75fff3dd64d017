#include "api/interrupt_view.h"

#include <fmt/core.h>

#include <algorithm>

#include "api/journal_reader.h"
#include "api/json_text.h"
#include "api/payload_reader.h"
#include "api/plain_json.h"
#include "base/text.h"
#include "core/evolve.h"
#include "core/interrupt.h"
#include "journal/key.h"

namespace perdure::api {
namespace {

struct Question {
  core::TaskState state;  // just after it was asked, for its action; then as it is now
  std::optional<InterruptRequested> asked;
  int64_t asked_ms = 0;
  std::optional<core::Step> step;
  std::optional<InterruptResolved> resolved;
  int64_t resolved_ms = 0;
};

Result<Question> read_question(Context& context, const InterruptId& id) {
  Question question;
  question.state.id = id.task;
  JournalReader journal(context.parts.reader, id.task, 1);
  for (;;) {
    TRY_ASSIGN(const Record* record, journal.next());
    if (record == nullptr) return question;
    TRY_STATUS(core::evolve(question.state, *record));
    const auto* asked = std::get_if<InterruptRequested>(&record->body);
    if (asked != nullptr && record->seq == id.seq) {
      question.asked = *asked;
      question.asked_ms = record->at_ms;
      const auto step = question.state.open.find(asked->step);
      if (step != question.state.open.end()) question.step = step->second;
    }
    const auto* resolved = std::get_if<InterruptResolved>(&record->body);
    if (resolved != nullptr && resolved->interrupt_seq == id.seq) {
      question.resolved = *resolved;
      question.resolved_ms = record->at_ms;
    }
  }
}

// How a person answers at a terminal. What is needed of a budget is the least that helps.
std::string command_of(const std::string& id, Decision decision, const json::object& body) {
  std::string command = fmt::format("perdure resolve {} {}", id, to_string(decision));
  const json::value* add = body.if_contains("add");
  if (add == nullptr) return command;
  for (const auto& [member, flag] :
       {std::pair("cost_usd", "--add-usd"), std::pair("model_calls", "--add-model-calls"),
        std::pair("tool_calls", "--add-tool-calls")}) {
    const json::value& amount = add->at(member);
    if (amount.to_number<double>() > 0) command += fmt::format(" {} {}", flag, json_text(amount));
  }
  return command;
}

json::array answers_to(const std::string& id, InterruptReason reason, const Usage& needed) {
  json::array answers;
  for (const Decision decision : core::allowed_decisions(reason)) {
    json::object body{{"decision", to_string(decision)}};
    if (reason == InterruptReason::kBudgetReached && decision == Decision::kApprove) {
      body["add"] = {{"cost_usd", to_usd(needed.cost_micro_usd)},
                     {"model_calls", needed.model_calls},
                     {"tool_calls", needed.tool_calls}};
    }
    answers.push_back({{"decision", to_string(decision)},
                       {"command", command_of(id, decision, body)},
                       {"request", "POST /v1/interrupts/" + id + "/resolve"},
                       {"body", std::move(body)}});
  }
  return answers;
}

Result<json::object> action_json(Context& context, const std::string& tenant, const TaskId& task,
                                 const StepId& id, const core::Step& step) {
  Payload args = step.args;
  PayloadReader payloads(context.parts.reader, context.parts.blobs, tenant, task);
  TRY_STATUS(payloads.complete(args, kInlinePayloadMaxBytes));
  json::object action{{"step", id}};
  action[step.kind == CallKind::kModel ? "model" : "tool"] = step.name;
  put_payload(action, "args", args);
  action["args_sha256"] = to_hex(args.hash.view());
  action["effect"] = to_string(step.contract.effect);
  action["attempts"] = step.attempt;
  // The key of what was sent, or of the send that waits for this decision.
  action["key"] = key_of(context.parts.store_secret, task, id, std::max(step.group, 1u), args.hash);
  return action;
}

void put_resolution(json::object& out, const Question& question) {
  out["status"] = question.resolved ? "resolved" : "open";
  if (!question.resolved) return;
  out["decision"] = to_string(question.resolved->decision);
  out["resolved_at"] = to_rfc3339(question.resolved_ms);
  if (!question.resolved->by.empty()) out["resolved_by"] = question.resolved->by;
  if (!question.resolved->message.empty()) out["answer_message"] = question.resolved->message;
}

}  // namespace

Result<std::optional<json::object>> view_interrupt(Context& context, const std::string& tenant,
                                                   const InterruptId& id) {
  TRY_ASSIGN(const Question question, read_question(context, id));
  if (!question.asked) return std::nullopt;
  const InterruptRequested& asked = *question.asked;
  const std::string text = id.to_string();
  json::object out{{"id", text}, {"task", id.task.to_string()}};
  put_resolution(out, question);
  out["agent"] = question.state.agent;
  out["reason"] = to_string(asked.reason);
  out["message"] = asked.message;
  if (question.step) {
    TRY_ASSIGN(out["action"], action_json(context, tenant, id.task, asked.step, *question.step));
  }
  if (asked.needed != Usage{}) out["needed"] = usage_json(asked.needed);
  json::array allowed;
  for (const Decision decision : core::allowed_decisions(asked.reason)) {
    allowed.emplace_back(to_string(decision));
  }
  out["allowed_decisions"] = std::move(allowed);
  out["created_at"] = to_rfc3339(question.asked_ms);
  if (!question.resolved) out["answers"] = answers_to(text, asked.reason, asked.needed);
  return out;
}

}  // namespace perdure::api
