#include "telemetry/task_trace.h"

#include <fmt/core.h>

#include "base/assert.h"
#include "base/hash.h"
#include "journal/message_json.h"

namespace perdure::telemetry {
namespace {

constexpr Seq kRootSeq = 1;  // of task_created: the span of the task

std::string_view finish_reason(ModelAnswer::Stop stop) {
  switch (stop) {
    case ModelAnswer::Stop::kEndTurn:
      return "stop";
    case ModelAnswer::Stop::kToolCalls:
      return "tool_calls";
    case ModelAnswer::Stop::kTruncated:
      return "length";
    case ModelAnswer::Stop::kRefusal:
      return "content_filter";
    case ModelAnswer::Stop::kPaused:
      return "pause";
    case ModelAnswer::Stop::kContextOverflow:
      return "context_window_exceeded";
    case ModelAnswer::Stop::kMalformedCall:
      return "malformed_tool_call";
    case ModelAnswer::Stop::kTooManyCalls:
      return "too_many_tool_calls";
  }
  return "stop";
}

// The record at which a span began names it.
std::string span_id(const TaskId& task, Seq seq) {
  Hasher hasher;
  const Sha256 hash = hasher.add("span").add(task.view()).add(fmt::format("/{}", seq)).finish();
  return std::string(hash.view().substr(0, 8));
}

void add_text(Span& span, std::string_view key, std::string_view text) {
  if (!text.empty()) span.attributes.push_back({std::string(key), std::string(text)});
}

void add_count(Span& span, std::string_view key, int64_t count) {
  if (count > 0) span.attributes.push_back({std::string(key), count});
}

}  // namespace

Span TaskTrace::span(Seq from_seq, int64_t start_ms, int64_t end_ms) const {
  Span out;
  out.trace_id = task_.view();
  out.span_id = span_id(task_, from_seq);
  if (from_seq != kRootSeq) out.parent_id = span_id(task_, kRootSeq);
  out.start_ms = start_ms;
  out.end_ms = end_ms;
  out.attributes.push_back(
      {"gen_ai.conversation.id", session_.empty() ? task_.to_string() : session_});
  return out;
}

std::vector<Span> TaskTrace::add(const Record& record) {
  PERDURE_ASSERT(record.seq == upto_seq_ + 1, "records are dense");
  upto_seq_ = record.seq;
  Spans out;
  std::visit([&](const auto& body) { read(record, body, out); }, record.body);
  return out;
}

void TaskTrace::read(const Record& record, const TaskCreated& body, Spans&) {
  agent_ = body.agent;
  agent_version_ = body.agent_version;
  created_ms_ = record.at_ms;
  session_ = body.session;
}

void TaskTrace::read(const Record&, const StepPlanned& body, Spans&) {
  calls_[body.step] = {.kind = body.kind, .name = body.name, .unpriced = body.unpriced};
}

void TaskTrace::read(const Record& record, const StepIntended& body, Spans&) {
  const auto found = calls_.find(body.step);
  if (found == calls_.end()) return;
  Call& call = found->second;
  call.attempt = body.attempt;
  call.intended_seq = record.seq;
  call.intended_ms = record.at_ms;
}

void TaskTrace::read(const Record& record, const StepSettled& body, Spans& out) {
  const auto found = calls_.find(body.step);
  if (found == calls_.end()) return;
  Call& call = found->second;
  // A planner's own call has no intent: it is known only by its end.
  if (call.intended_seq == 0) {
    call.attempt = body.attempt;
    call.intended_seq = record.seq;
    call.intended_ms = record.at_ms;
  }
  out.push_back(call_span(record, body, call));
  ++(call.kind == CallKind::kModel ? model_calls_ : tool_calls_);
  call.intended_seq = 0;
  if (body.outcome == Outcome::kSucceeded) calls_.erase(found);
}

void TaskTrace::read(const Record&, const StepClosed& body, Spans&) {
  calls_.erase(body.step);
}

void TaskTrace::read(const Record& record, const InterruptRequested& body, Spans&) {
  waits_[record.seq] = {body.reason, body.step, record.at_ms};
}

void TaskTrace::read(const Record& record, const InterruptResolved& body, Spans& out) {
  const auto found = waits_.find(body.interrupt_seq);
  if (found == waits_.end()) return;
  const Wait& wait = found->second;
  Span wait_span = span(found->first, wait.since_ms, record.at_ms);
  wait_span.name = fmt::format("wait_for_person {}", to_string(wait.reason));
  add_text(wait_span, "perdure.interrupt.reason", to_string(wait.reason));
  add_text(wait_span, "perdure.interrupt.decision", to_string(body.decision));
  add_text(wait_span, "perdure.step.id", wait.step);
  out.push_back(std::move(wait_span));
  waits_.erase(found);
}

void TaskTrace::read(const Record& record, const TaskEnded& body, Spans& out) {
  Span task_span = span(kRootSeq, created_ms_, record.at_ms);
  task_span.name = agent_.empty() ? "invoke_agent" : "invoke_agent " + agent_;
  task_span.failed = body.status == TaskStatus::kFailed;
  add_text(task_span, "gen_ai.operation.name", "invoke_agent");
  add_text(task_span, "gen_ai.agent.name", agent_);
  add_text(task_span, "gen_ai.agent.version", agent_version_);
  add_text(task_span, "perdure.task.status", to_string(body.status));
  add_text(task_span, "perdure.task.stop_reason", to_string(body.stop_reason));
  add_count(task_span, "perdure.task.model_calls", model_calls_);
  add_count(task_span, "perdure.task.tool_calls", tool_calls_);
  if (task_span.failed) add_text(task_span, "error.type", to_string(body.stop_reason));
  out.push_back(std::move(task_span));
}

Span TaskTrace::call_span(const Record& record, const StepSettled& settled,
                          const Call& call) const {
  Span out = span(call.intended_seq, call.intended_ms, record.at_ms);
  add_text(out, "perdure.step.id", settled.step);
  out.attributes.push_back({"perdure.attempt", static_cast<int64_t>(call.attempt)});
  add_text(out, "perdure.outcome", to_string(settled.outcome));
  out.failed = settled.outcome != Outcome::kSucceeded;
  if (out.failed) {
    const bool classed = settled.failure != FailureClass::kNone;
    add_text(out, "error.type", classed ? to_string(settled.failure) : to_string(settled.outcome));
  }
  if (call.kind == CallKind::kModel) {
    add_model(out, settled, call);
  } else {
    out.name = "execute_tool " + call.name;
    add_text(out, "gen_ai.operation.name", "execute_tool");
    add_text(out, "gen_ai.tool.name", call.name);
    add_text(out, "gen_ai.tool.type", "function");
    add_text(out, "gen_ai.tool.call.id", settled.step);
  }
  return out;
}

void TaskTrace::add_model(Span& span, const StepSettled& settled, const Call& call) const {
  const auto known = names_->find(call.name);
  const std::string model = known != names_->end() ? known->second.model : call.name;
  span.name = "chat " + model;
  span.kind = Span::Kind::kClient;
  add_text(span, "gen_ai.operation.name", "chat");
  if (known != names_->end()) add_text(span, "gen_ai.provider.name", known->second.provider);
  add_text(span, "gen_ai.request.model", model);
  add_text(span, "perdure.model", call.name);
  if (settled.used) {
    add_count(span, "gen_ai.usage.input_tokens", settled.used->input_tokens);
    add_count(span, "gen_ai.usage.output_tokens", settled.used->output_tokens);
    const double cost_usd = static_cast<double>(settled.used->cost_micro_usd) / 1e6;
    if (!call.unpriced) span.attributes.push_back({"perdure.cost_usd", cost_usd});
  }
  // An answer in the blob store is not fetched for this.
  const auto answer = answer_from_json(settled.result.view());
  if (settled.outcome != Outcome::kSucceeded || !answer) return;
  add_text(span, "gen_ai.response.model", answer->model);
  add_text(span, "gen_ai.response.id", answer->response_id);
  span.attributes.push_back({"gen_ai.response.finish_reasons",
                             std::vector<std::string>{std::string(finish_reason(answer->stop))}});
  add_count(span, "gen_ai.usage.cache_read.input_tokens", answer->cached_input_tokens);
  add_count(span, "gen_ai.usage.cache_creation.input_tokens", answer->cache_write_tokens);
  add_count(span, "gen_ai.usage.reasoning.output_tokens", answer->reasoning_tokens);
}

}  // namespace perdure::telemetry
