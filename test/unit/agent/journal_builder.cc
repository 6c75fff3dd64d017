#include "journal_builder.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "journal/message_json.h"

namespace perdure::test {

AgentSpec shop_agent(std::vector<std::string> models) {
  AgentSpec spec;
  spec.name = "shop";
  spec.models = std::move(models);
  spec.instructions = "Serve the customer.";
  for (const char* name : {"look", "pay", "ship"}) {
    spec.tools.push_back({name, fmt::format("{}s something", name), R"({"type":"object"})"});
  }
  spec.always_ask = {"ship"};
  spec.max_output_tokens = 1000;
  spec.mark = agent_mark(spec);
  return spec;
}

AgentSpec strict_agent() {
  AgentSpec spec = shop_agent({"main", "backup"});
  spec.output_schema = R"({"type":"object","required":["done"]})";
  EXPECT_TRUE(compile_schemas(spec));
  spec.mark = agent_mark(spec);
  return spec;
}

Seq JournalBuilder::add(RecordBody body) {
  const Seq seq = records_.size() + 1;
  records_.push_back({seq, 1000 + static_cast<int64_t>(seq), std::move(body)});
  return seq;
}

JournalBuilder& JournalBuilder::created(std::string input) {
  TaskCreated body;
  body.planner = "agent";
  if (!input.empty()) body.input = Payload::of(std::move(input));
  add(std::move(body));
  return *this;
}

JournalBuilder& JournalBuilder::model_planned(uint64_t turn, std::string model) {
  StepPlanned body;
  body.step = fmt::format("m{}", turn);
  body.kind = CallKind::kModel;
  body.name = std::move(model);
  body.verdict = Verdict::kAllow;
  add(std::move(body));
  return *this;
}

JournalBuilder& JournalBuilder::answered(uint64_t turn, const ModelAnswer& answer,
                                         std::string model) {
  model_planned(turn, std::move(model));
  return settled(fmt::format("m{}", turn), Outcome::kSucceeded, answer_to_json(answer));
}

JournalBuilder& JournalBuilder::accepted(const AnswerTurn& turn) {
  TurnAccepted body;
  body.turn = turn.turn;
  body.upto_seq = turn.upto_seq;
  body.await = turn.await;
  body.more = turn.more;
  add(std::move(body));
  for (const Action& action : turn.actions) {
    if (const auto* call = std::get_if<CallAction>(&action)) {
      StepPlanned planned;
      planned.step = call->step;
      planned.kind = call->kind;
      planned.name = call->name;
      planned.executed_by = call->executed_by;
      planned.args = call->args;
      planned.verdict = call->verdict == Verdict::kDeny ? Verdict::kDeny : Verdict::kAllow;
      planned.verdict_reason = call->verdict_reason;
      add(std::move(planned));
      if (call->executed_by == ExecutedBy::kPlanner) {
        settled(call->step, call->outcome, std::string(call->result.view()));
      }
    } else if (const auto* timer = std::get_if<TimerAction>(&action)) {
      add(TimerSet{timer->timer, TimerPurpose::kPlanner,
                   timer->at_ms != 0 ? timer->at_ms : timer->after_ms});
    } else if (const auto* note = std::get_if<NoteAction>(&action)) {
      add(Noted{note->note});
    } else if (const auto* ask = std::get_if<AskAction>(&action)) {
      StepPlanned planned;
      planned.step = ask->step;
      planned.name = ask->name;
      planned.executed_by = ExecutedBy::kPerson;
      planned.args = ask->args;
      add(std::move(planned));
      add(InterruptRequested{InterruptReason::kQuestion, ask->step, ask->message, {}, {}, {}});
    } else if (const auto* raised = std::get_if<InterruptAction>(&action)) {
      add(InterruptRequested{raised->reason, {}, raised->message, {}, {}, {}});
    }
  }
  return *this;
}

JournalBuilder& JournalBuilder::tool_planned(std::string step, std::string name, Verdict verdict,
                                             std::string reason) {
  StepPlanned body;
  body.step = std::move(step);
  body.name = std::move(name);
  body.guarded = true;
  body.verdict = verdict;
  body.verdict_reason = std::move(reason);
  add(std::move(body));
  return *this;
}

JournalBuilder& JournalBuilder::settled(std::string step, Outcome outcome, std::string result,
                                        FailureClass failure, std::string detail) {
  StepSettled body;
  body.step = std::move(step);
  body.attempt = 1;
  body.outcome = outcome;
  body.failure = failure;
  body.detail = std::move(detail);
  if (!result.empty()) body.result = Payload::of(std::move(result));
  add(std::move(body));
  return *this;
}

JournalBuilder& JournalBuilder::closed(std::string step, EffectState state, std::string reason,
                                       std::string same_as) {
  add(StepClosed{std::move(step), state, std::move(reason), std::move(same_as)});
  return *this;
}

JournalBuilder& JournalBuilder::decided(std::string step, InterruptReason reason, Decision decision,
                                        std::string message, std::string result) {
  InterruptResolved body;
  body.interrupt_seq = add(InterruptRequested{reason, std::move(step), "?", {}});
  body.decision = decision;
  body.by = "ann";
  body.message = std::move(message);
  if (!result.empty()) body.given = Payload::of(std::move(result));
  add(std::move(body));
  return *this;
}

ModelAnswer answer_with(std::string text, std::vector<ToolCall> calls, ModelAnswer::Stop stop) {
  ModelAnswer answer;
  answer.text = std::move(text);
  answer.calls = std::move(calls);
  answer.stop = stop;
  return answer;
}

Transcript fold(const std::vector<Record>& records, InlineRules results) {
  Transcript transcript(results);
  for (const Record& record : records) transcript.apply(record);
  return transcript;
}

std::string show(const std::vector<Message>& messages) {
  std::string out;
  for (const Message& message : messages) {
    switch (message.role) {
      case Message::Role::kSystem:
        out += "system: ";
        break;
      case Message::Role::kUser:
        out += "user: ";
        break;
      case Message::Role::kAssistant:
        out += "assistant: ";
        break;
      case Message::Role::kTool:
        out += fmt::format("tool{} {}: ", message.is_error ? "!" : "", message.call_id);
        break;
    }
    out += message.text;
    for (const ToolCall& call : message.calls) {
      out += fmt::format(" [{} {} {}]", call.id, call.name, call.arguments);
    }
    out += '\n';
  }
  return out;
}

std::string show(const Action& action) {
  if (const auto* call = std::get_if<CallAction>(&action)) {
    return fmt::format("call {} {} {} {}{}{}", call->step, to_string(call->kind), call->name,
                       call->args.view(), call->verdict == Verdict::kDeny ? " deny: " : "",
                       call->verdict_reason);
  }
  if (const auto* end = std::get_if<CompleteAction>(&action)) {
    return fmt::format("complete {} {}", to_string(end->stop_reason), end->result.view());
  }
  if (const auto* end = std::get_if<FailAction>(&action)) {
    return fmt::format("fail {}: {}", to_string(end->stop_reason), end->message);
  }
  if (const auto* timer = std::get_if<TimerAction>(&action)) {
    return fmt::format("timer {} after {} at {}", timer->timer, timer->after_ms, timer->at_ms);
  }
  if (const auto* note = std::get_if<NoteAction>(&action)) {
    return fmt::format("note {}", note->note.view());
  }
  if (const auto* ask = std::get_if<AskAction>(&action)) {
    return fmt::format("ask {} {}: {} {}", ask->step, ask->name, ask->message, ask->args.view());
  }
  if (const auto* raised = std::get_if<InterruptAction>(&action)) {
    return fmt::format("interrupt {}: {}", to_string(raised->reason), raised->message);
  }
  return "unexpected action";
}

std::string show(const AnswerTurn& turn) {
  std::string out = fmt::format("turn {} upto {} {}{}\n", turn.turn, turn.upto_seq,
                                turn.planner_version, turn.guarded ? " guarded" : "");
  for (const Action& action : turn.actions) out += show(action) + "\n";
  out += fmt::format("await {} {}", to_string(turn.await.op), turn.await.name);
  for (const Await& each : turn.await.of) out += " " + each.name;
  return out;
}

}  // namespace perdure::test
