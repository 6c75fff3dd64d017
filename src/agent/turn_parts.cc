#include "agent/turn_parts.h"

#include <fmt/core.h>

#include <algorithm>

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

ModelTerms terms_of(const KnownModels& models, const std::string& model) {
  const auto found = models.find(model);
  return found == models.end() ? ModelTerms{} : found->second;
}

int64_t output_tokens_max(const AgentSpec& spec, const ModelTerms& terms) {
  if (spec.max_output_tokens == 0) return terms.max_output_tokens;
  if (terms.max_output_tokens == 0) return spec.max_output_tokens;
  return std::min(spec.max_output_tokens, terms.max_output_tokens);
}

std::vector<std::string> limits_without_effect(const AgentSpec& spec, const KnownModels& models) {
  std::vector<std::string> out;
  for (const std::string& model : spec.models) {
    const int64_t most = terms_of(models, model).max_output_tokens;
    if (most == 0 || spec.max_output_tokens <= most) continue;
    out.push_back(fmt::format(
        "max_output_tokens = {}: models.{} of the operator's file allows {}, and no answer of it "
        "will have more",
        spec.max_output_tokens, model, most));
  }
  return out;
}

void call_model(const AgentSpec& spec, const Transcript& transcript, const std::string& model,
                uint32_t attempts_max, const KnownModels& models, AnswerTurn& out) {
  CallAction action;
  action.attempts_max = attempts_max;
  action.step = model_step_id(out.turn);
  action.kind = CallKind::kModel;
  action.name = model;
  const ModelTerms terms = terms_of(models, model);
  const int64_t output_max = output_tokens_max(spec, terms);
  action.args = Payload::of(to_canonical_json(json::object{
      {"context_seq", out.upto_seq},
      {"conversation_sha256", to_hex(transcript.conversation_hash().view())},
      {"max_output_tokens", output_max},
  }));
  action.reserve =
      reserve_model_call(transcript.input_tokens_estimate(spec), output_max, terms.price);
  out.await = {.op = Await::Op::kStep, .name = action.step, .of = {}};
  out.actions.emplace_back(std::move(action));
}

}  // namespace perdure
