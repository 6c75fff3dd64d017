// A transcript as bytes, and back.
#include "agent/transcript.h"
#include "base/assert.h"

namespace perdure {
namespace {

using Stage = Transcript::Stage;

void put(LayoutWriter& out, const InlineRules& rules) {
  out.put(rules.max_bytes), out.put(rules.can_read_more), out.put(rules.as_text);
}

InlineRules rules_in(LayoutReader& in) {
  InlineRules rules;
  in.get(rules.max_bytes), in.get(rules.can_read_more), in.get(rules.as_text);
  return rules;
}

bool are_equal(const InlineRules& a, const InlineRules& b) {
  return a.max_bytes == b.max_bytes && a.can_read_more == b.can_read_more && a.as_text == b.as_text;
}

void put(LayoutWriter& out, const Transcript::ModelFailure& failure) {
  out.put(failure.model), out.put(failure.state), out.put(failure.failure);
  out.put(failure.detail), out.put(failure.attempts);
}

void get(LayoutReader& in, Transcript::ModelFailure& failure) {
  in.get(failure.model), in.get(failure.state), in.get(failure.failure);
  in.get(failure.detail), in.get(failure.attempts);
}

void put(LayoutWriter& out, const ModelAnswer& answer) {
  out.put(answer.text), out.put(answer.refusal), out.put_calls(answer.calls);
  out.put(static_cast<uint64_t>(answer.stop)), out.put(answer.stop_detail);
  out.put(answer.model), out.put(answer.response_id);
  out.put(answer.input_tokens), out.put(answer.output_tokens);
  out.put(answer.cached_input_tokens), out.put(answer.cache_write_tokens);
  out.put(answer.reasoning_tokens), out.put_raw(answer);
}

void get(LayoutReader& in, ModelAnswer& answer) {
  in.get(answer.text), in.get(answer.refusal), in.get_calls(answer.calls);
  answer.stop = in.get_enum<ModelAnswer::Stop, ModelAnswer::Stop::kTooManyCalls>();
  in.get(answer.stop_detail), in.get(answer.model), in.get(answer.response_id);
  in.get(answer.input_tokens), in.get(answer.output_tokens);
  in.get(answer.cached_input_tokens), in.get(answer.cache_write_tokens);
  in.get(answer.reasoning_tokens), in.get_raw(answer);
}

}  // namespace

void Transcript::write(LayoutWriter& out) const {
  put(out, results_);
  out.put(static_cast<uint64_t>(stage_)), out.put(seq_), out.put(at_ms_);
  conversation_.write(out);
  out.put(model_turn_), put(out, failure_), out.put(uint64_t{failures_.size()});
  for (const ModelFailure& failure : failures_) put(out, failure);
  out.put(answered_by_), out.put(answer_ != nullptr);
  if (answer_ != nullptr) put(out, *answer_);
  round_.write(out);
  out.put(malformed_answers_), out.put(paused_answers_);
  watch_.write(out);
  for (const uint32_t told : told_) out.put(told);
  out.put(paused_text_), out.put(uint64_t{questions_.size()});
  for (const auto& [seq, question] : questions_) {
    out.put(seq), out.put(question.reason), out.put(question.step);
  }
  out.put(counted_tokens_), out.put(counted_bytes_);
}

void Transcript::read(LayoutReader& in) {
  stage_ = in.get_enum<Stage, Stage::kToolsOpen>();
  in.get(seq_), in.get(at_ms_);
  conversation_.read(in);
  uint64_t count = 0;
  in.get(model_turn_), get(in, failure_), in.get(count);
  for (uint64_t i = 0; i < count && in.ok(); ++i) get(in, failures_.emplace_back());
  bool stands = false;
  in.get(answered_by_), in.get(stands);
  if (stands) {
    ModelAnswer answer;
    get(in, answer);
    answer_ = std::make_shared<const ModelAnswer>(std::move(answer));
  }
  round_.read(in);
  in.get(malformed_answers_), in.get(paused_answers_);
  watch_.read(in);
  for (uint32_t& told : told_) in.get(told);
  in.get(paused_text_), in.get(count);
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    Seq seq = 0;
    in.get(seq);
    if (!questions_.empty() && questions_.rbegin()->first >= seq) return in.spoil();
    Question& question = questions_[seq];
    in.get(question.reason), in.get(question.step);
  }
  in.get(counted_tokens_), in.get(counted_bytes_);
}

std::string Transcript::encode() const {
  PERDURE_ASSERT(status_.has_value(), "only what was folded to its end is written down");
  std::string bytes;
  bytes.reserve(size_bytes() + size_bytes() / 4);
  LayoutWriter out(bytes);
  write(out);
  return bytes;
}

std::optional<Transcript> Transcript::decode(std::string_view bytes, const InlineRules& results,
                                             const CompletePayload& complete) {
  LayoutReader in(bytes, complete);
  if (!are_equal(rules_in(in), results)) return std::nullopt;
  Transcript transcript(results);
  transcript.read(in);
  if (!in.ok() || !in.at_end()) return std::nullopt;
  return transcript;
}

}  // namespace perdure
