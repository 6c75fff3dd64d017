#include "journal/turn_json.h"

#include <fmt/core.h>

#include "base/reach.h"
#include "journal/answer_hash.h"
#include "journal/read_term.h"
#include "journal/record_json.h"

namespace perdure {
namespace {

std::string read_name(ObjectReader& in, std::string_view member) {
  std::string name = in.string(member);
  if (in.ok() && (name.empty() || name.size() > kNameMaxBytes)) {
    in.fail_at(member, fmt::format("{} bytes, expected 1 to {}", name.size(), kNameMaxBytes));
  }
  return name;
}

std::string read_message(ObjectReader& in, std::string_view member) {
  std::string message = in.string(member);
  if (message.size() > kRemarkMaxBytes) {
    in.fail_at(member, fmt::format("longer than {} bytes", kRemarkMaxBytes));
  }
  return message;
}

class TurnReader {
 public:
  Result<AnswerTurn> read(ObjectReader& in) {
    AnswerTurn answer;
    answer.turn = static_cast<uint64_t>(in.integer("turn", 1, INT64_MAX));
    answer.upto_seq = static_cast<Seq>(in.integer("upto_seq", 1, INT64_MAX));
    answer.planner_version = read_name(in, "planner_version");
    answer.guarded = in.boolean("guarded", false);
    answer.more = in.boolean("more", false);
    const json::value* state = in.value("state");
    if (state != nullptr && !state->is_null()) answer.state = payload(*state);
    if (const json::value* await = in.value("await"); await != nullptr && !await->is_null()) {
      TRY_ASSIGN(answer.await, read_await(*await, "await", 1));
    }
    if (const json::array* actions = in.array("actions")) {
      TRY_STATUS(read_actions(*actions, answer.actions));
    }
    TRY_STATUS(in.finish());
    if (answer.more && ended_) return fail(Code::kInvalid, "more: the task has ended");
    answer.answer_hash = hash_answer(answer);
    return answer;
  }

 private:
  Status read_actions(const json::array& items, std::vector<Action>& out) {
    if (items.size() > kActionsMax) {
      return fail(Code::kTooLarge, fmt::format("actions: {}, at most {} in a turn; set \"more\"",
                                               items.size(), kActionsMax));
    }
    out.reserve(items.size());
    for (const json::value& item : items) {
      const std::string where = fmt::format("actions[{}]", out.size());
      if (ended_) return fail(Code::kInvalid, where + ": stands behind the task's end");
      TRY_ASSIGN(Action action, read_action(item, where));
      if (payload_bytes_ > kTurnPayloadMaxBytes) {
        return fail(Code::kTooLarge, fmt::format("{}: the payloads of a turn are at most {} bytes",
                                                 where, kTurnPayloadMaxBytes));
      }
      out.push_back(std::move(action));
    }
    return {};
  }

  Result<Action> read_action(const json::value& item, const std::string& where) {
    ObjectReader in(item, where);
    const json::value* call = in.value("call");
    const json::value* timer = in.value("timer");
    const json::value* note = in.value("note");
    const json::value* ask = in.value("ask");
    const json::value* interrupt = in.value("interrupt");
    const json::value* complete = in.value("complete");
    const json::value* failure = in.value("fail");
    TRY_STATUS(in.finish());
    if (item.get_object().size() != 1) {
      return fail(Code::kInvalid,
                  where + ": expected one of call, timer, note, ask, interrupt, complete, fail");
    }
    if (call != nullptr) return read_call(*call, where + ".call");
    if (timer != nullptr) return read_timer(*timer, where + ".timer");
    if (note != nullptr) return NoteAction{payload(*note)};
    if (ask != nullptr) return read_ask(*ask, where + ".ask");
    if (interrupt != nullptr) return read_interrupt(*interrupt, where + ".interrupt");
    ended_ = true;
    if (complete != nullptr) return CompleteAction{payload(*complete), StopReason::kEndTurn};
    ObjectReader reader(*failure, where + ".fail");
    FailAction action{StopReason::kError, read_message(reader, "message")};
    TRY_STATUS(reader.finish());
    return action;
  }

  Result<Action> read_call(const json::value& value, const std::string& where) {
    ObjectReader in(value, where);
    CallAction call;
    call.step = read_name(in, "step");
    call.kind = read_term<CallKind::kTool, CallKind::kModel>(in, "kind", CallKind::kTool);
    call.name = read_name(in, "name");
    const json::value* args = in.value("args");
    call.args = args == nullptr ? payload(json::object()) : payload(*args);
    call.executed_by =
        read_term<ExecutedBy::kEngine, ExecutedBy::kPlanner>(in, "executor", ExecutedBy::kEngine);
    if (call.executed_by == ExecutedBy::kPlanner) {
      call.outcome =
          read_term<Outcome::kSucceeded, Outcome::kFailed>(in, "outcome", Outcome::kSucceeded);
      if (const json::value* result = in.value("result")) call.result = payload(*result);
      if (in.has("detail")) call.detail = read_message(in, "detail");
    } else {
      for (const char* member : {"outcome", "result", "detail"}) {
        if (in.has(member)) in.fail_at(member, "only of a call whose executor is the planner");
      }
    }
    TRY_STATUS(in.finish());
    return call;
  }

  Result<Action> read_timer(const json::value& value, const std::string& where) {
    ObjectReader in(value, where);
    TimerAction timer;
    timer.timer = read_name(in, "id");
    if (in.has("after_ms") == in.has("at_ms")) {
      in.fail_at("after_ms", "expected one of after_ms and at_ms");
    }
    timer.after_ms = in.integer("after_ms", 0, kWaitMaxMs, 0);
    timer.at_ms = in.integer("at_ms", 1, kTimeMaxMs, 0);
    TRY_STATUS(in.finish());
    return timer;
  }

  Result<Action> read_ask(const json::value& value, const std::string& where) {
    ObjectReader in(value, where);
    AskAction ask;
    ask.step = read_name(in, "step");
    ask.name = kAskTool;
    ask.message = read_message(in, "question");
    if (in.ok() && ask.message.empty()) in.fail_at("question", "is empty");
    json::object args{{"question", ask.message}};
    if (const json::array* choices = in.array("choices")) args["choices"] = *choices;
    if (const json::value* schema = in.value("schema")) args["schema"] = *schema;
    TRY_STATUS(in.finish());
    ask.args = payload(args);
    return ask;
  }

  Result<Action> read_interrupt(const json::value& value, const std::string& where) {
    ObjectReader in(value, where);
    InterruptAction raised;
    if (!in.has("reason")) in.fail_at("reason", "is missing");
    raised.reason =
        read_term<InterruptReason::kLoopDetected, InterruptReason::kProviderRefusal,
                  InterruptReason::kAuthRequired>(in, "reason", InterruptReason::kLoopDetected);
    raised.message = read_message(in, "message");
    if (in.ok() && raised.message.empty()) in.fail_at("message", "is empty");
    TRY_STATUS(in.finish());
    return raised;
  }

  Result<Await> read_await(const json::value& value, const std::string& where, size_t depth) {
    if (depth > kAwaitMaxDepth || ++await_nodes_ > kAwaitMaxNodes) {
      return fail(Code::kTooLarge, fmt::format("{}: at most {} deep, {} parts", where,
                                               kAwaitMaxDepth, kAwaitMaxNodes));
    }
    ObjectReader in(value, where);
    Await await;
    using enum Await::Op;
    await.op = read_term<kNews, kStep, kTimer, kAny, kAll>(in, "op", kNews);
    if (!in.has("op")) in.fail_at("op", "is missing");
    if (await.op == Await::Op::kStep || await.op == Await::Op::kTimer) {
      await.name = read_name(in, "name");
    } else if (await.op != Await::Op::kNews) {
      const json::array* parts = in.array("of");
      if (parts == nullptr || parts->empty()) in.fail_at("of", "expected what to wait for");
      for (size_t i = 0; in.ok() && parts != nullptr && i < parts->size(); ++i) {
        TRY_ASSIGN(Await part,
                   read_await((*parts)[i], fmt::format("{}.of[{}]", where, i), depth + 1));
        await.of.push_back(std::move(part));
      }
    }
    TRY_STATUS(in.finish());
    return await;
  }

  Payload payload(const json::value& value) {
    Payload made = Payload::of(to_canonical_json(value));
    payload_bytes_ += made.size_bytes;
    return made;
  }

  size_t payload_bytes_ = 0;
  size_t await_nodes_ = 0;
  bool ended_ = false;
};

Result<RejectTurn> read_rejection(ObjectReader& in) {
  RejectTurn rejection;
  rejection.turn = static_cast<uint64_t>(in.integer("turn", 1, INT64_MAX));
  rejection.upto_seq = static_cast<Seq>(in.integer("upto_seq", 1, INT64_MAX));
  rejection.reason = read_message(in, "error");
  TRY_STATUS(in.finish());
  return rejection;
}

}  // namespace

Result<RemoteTurn> remote_turn_from_json(const json::value& body) {
  ObjectReader in(body, "turn");
  const auto task = TaskId::parse(in.string("task"));
  if (!task) in.fail_at("task", "not the id of a task");
  RemoteTurn turn;
  if (in.has("error")) {
    TRY_ASSIGN(turn.answer, read_rejection(in));
  } else {
    TRY_ASSIGN(turn.answer, TurnReader().read(in));
  }
  turn.task = *task;
  return turn;
}

Result<json::object> plan_to_json(const RemotePlan& plan) {
  json::object out;
  out["task"] = plan.task.to_string();
  out["turn"] = plan.plan.turn;
  out["upto_seq"] = plan.plan.upto_seq;
  out["attempt"] = plan.plan.attempt;
  out["after_seq"] = plan.after_seq;
  for (const Payload* payload : {&plan.state, &plan.input}) {
    if (payload->exists() && !payload->bytes) {
      return fail(Code::kInternal, "plan: the bytes of the state and the input are not at hand");
    }
  }
  out["state"] = nullptr;
  if (plan.state.exists()) {
    TRY_ASSIGN(out["state"], parse_json(plan.state.view(), "planner state", kTurnJsonLimits));
  }
  out["input"] = plan.input.exists() ? payload_to_json(plan.input) : json::value();
  json::array records;
  for (const Record& record : plan.news) {
    if (record.seq > plan.after_seq && record.seq <= plan.plan.upto_seq) {
      records.push_back(record_to_json(record));
    }
  }
  out["records"] = std::move(records);
  return out;
}

}  // namespace perdure
