#pragma once
// An answer while its pieces come in: bounded, and damaged once it can be neither used nor
// repaired. What the readers of all dialects share.
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "base/sse.h"
#include "journal/message.h"
#include "model/call_failure.h"

namespace perdure {

struct AnswerLimits {
  size_t text_bytes = 8u << 20;  // text, refusal, arguments and raw items together
  size_t calls = 256;
  size_t blocks = 4096;  // of dialects whose answers are lists
  SseLimits sse;
};

class AnswerBuilder {
 public:
  using OnDelta = std::function<void(std::string_view text)>;

  AnswerBuilder(OnDelta on_delta, const AnswerLimits& limits);

  // The first damage is kept.
  void spoil(std::string why);
  const std::string& damage() const { return damage_; }
  // A part of the answer has begun, also where nothing of it is kept.
  void begin_output() { has_output_ = true; }
  // An error came in the place of the rest: `failure`, with what is known of the beginning.
  CallFailure broken_off(CallFailure failure) const;

  // Takes `bytes` from what an answer may hold; false, and damage, if there are not so many.
  bool count(size_t bytes);
  void add_text(std::string_view text);
  void add_refusal(std::string_view text);
  // Null, and damage, if there are too many. The next call may move it.
  ToolCall* add_call();

  ModelAnswer& answer() { return answer_; }
  const ModelAnswer& answer() const { return answer_; }
  // Once, when all is there. A call without an id gets one that is derived from the answer. Empty,
  // and damage, if a call has no name, or two have one id, or the stop reason does not fit.
  std::optional<ModelAnswer> take();

 private:
  void settle_calls();
  void settle_stop();

  OnDelta on_delta_;
  size_t bytes_left_;
  size_t calls_max_;
  bool has_output_ = false;
  ModelAnswer answer_;
  std::string damage_;
};

}  // namespace perdure
