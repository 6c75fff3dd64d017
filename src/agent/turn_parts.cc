#include "agent/turn_parts.h"

#include "agent/loop.h"
#include "agent/step_ids.h"
#include "base/json.h"
#include "base/text.h"

namespace perdure {

void fail_task(AnswerTurn& out, StopReason reason, std::string message) {
  out.actions.emplace_back(FailAction{reason, std::move(message)});
}

void tell_model(AnswerTurn& out, Tell tell) {
  out.actions.emplace_back(NoteAction{note_of(tell)});
  out.more = true;
}

void call_model(const AgentSpec& spec, const Transcript& transcript, const std::string& model,
                const Prices& prices, AnswerTurn& out) {
  CallAction action;
  action.step = model_step_id(out.turn);
  action.kind = CallKind::kModel;
  action.name = model;
  action.args = Payload::of(to_canonical_json(json::object{
      {"context_seq", out.upto_seq},
      {"conversation_sha256", to_hex(transcript.conversation_hash().view())},
      {"max_output_tokens", spec.max_output_tokens},
  }));
  const auto price = prices.find(model);
  action.reserve =
      reserve_model_call(transcript.input_tokens_estimate(spec), spec.max_output_tokens,
                         price == prices.end() ? ModelPrice{} : price->second);
  out.await = {.op = Await::Op::kStep, .name = action.step, .of = {}};
  out.actions.emplace_back(std::move(action));
}

}  // namespace perdure
