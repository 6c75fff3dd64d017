#include "model/answer_builder.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "base/hash.h"
#include "base/text.h"

namespace perdure {

AnswerBuilder::AnswerBuilder(OnDelta on_delta, const AnswerLimits& limits)
    : on_delta_(std::move(on_delta)), bytes_left_(limits.text_bytes), calls_max_(limits.calls) {}

void AnswerBuilder::spoil(std::string why) {
  if (damage_.empty()) damage_ = std::move(why);
}

CallFailure AnswerBuilder::broken_off(CallFailure failure) const {
  failure.had_output = has_output_;
  if (answer_.input_tokens > 0 || answer_.output_tokens > 0) {
    failure.counted = tokens_of(answer_);
    failure.counted->input = std::max<int64_t>(failure.counted->input, 0);
    failure.counted->output = std::max<int64_t>(failure.counted->output, 0);
  }
  return failure;
}

bool AnswerBuilder::count(size_t bytes) {
  if (bytes > 0) begin_output();
  if (bytes > bytes_left_) {
    spoil("the answer is larger than is accepted");
    return false;
  }
  bytes_left_ -= bytes;
  return true;
}

void AnswerBuilder::add_text(std::string_view text) {
  if (text.empty() || !count(text.size())) return;
  answer_.text += text;
  if (on_delta_) on_delta_(text);
}

void AnswerBuilder::add_refusal(std::string_view text) {
  if (count(text.size())) answer_.refusal += text;
}

ToolCall* AnswerBuilder::add_call() {
  if (answer_.calls.size() >= calls_max_) {
    spoil("the answer has more tool calls than are accepted");
    return nullptr;
  }
  return &answer_.calls.emplace_back();
}

void AnswerBuilder::settle_calls() {
  std::set<std::string_view> ids;
  for (size_t i = 0; i < answer_.calls.size(); ++i) {
    ToolCall& call = answer_.calls[i];
    if (call.name.empty()) spoil("a tool call has no name");
    if (call.id.empty()) {
      Hasher hasher;
      hasher.add(answer_.response_id).add(fmt::format("/{}/", i)).add(call.name);
      const Sha256 hash = hasher.add("/").add(call.arguments).finish();
      call.id = "call_" + to_hex(hash.view().substr(0, 12));
    }
    if (!ids.insert(call.id).second) spoil("two tool calls have the same id");
  }
}

void AnswerBuilder::settle_stop() {
  using Stop = ModelAnswer::Stop;
  if (answer_.stop == Stop::kEndTurn && !answer_.calls.empty()) answer_.stop = Stop::kToolCalls;
  if (answer_.stop == Stop::kEndTurn && !answer_.refusal.empty()) answer_.stop = Stop::kRefusal;
  if (answer_.stop == Stop::kToolCalls && answer_.calls.empty()) {
    spoil("its end names tool calls, and there are none");
  }
}

std::optional<ModelAnswer> AnswerBuilder::take() {
  if (damage_.empty()) settle_calls();
  if (damage_.empty()) settle_stop();
  if (!damage_.empty()) return std::nullopt;
  return std::move(answer_);
}

}  // namespace perdure
