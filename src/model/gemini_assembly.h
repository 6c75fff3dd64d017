#pragma once
// Puts the parts of one answer of Gemini together.
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "model/answer_builder.h"
#include "model/call_failure.h"

namespace perdure {

class GeminiAssembly {
 public:
  GeminiAssembly(AnswerBuilder::OnDelta on_delta, const AnswerLimits& limits);

  // A GenerateContentResponse, whole or a piece of a stream.
  void add(const json::object& response);

  void spoil(std::string why) { builder_.spoil(std::move(why)); }
  const std::string& damage() const { return builder_.damage(); }
  CallFailure broken_off(CallFailure failure) const {
    return builder_.broken_off(std::move(failure));
  }
  // An `error` that came inside the answer: the object that holds it.
  const std::optional<json::object>& error() const { return error_; }
  bool recognised() const { return recognised_; }
  // A finishReason came, or the prompt was blocked.
  bool finished() const { return !finish_reason_.empty() || !block_reason_.empty(); }
  bool grew_after_finish() const { return grew_after_finish_; }

  // When finished(): the end was not an answer's.
  std::optional<CallFailure> failure() const;
  // Once, when finished(), and nothing is damaged or failed.
  std::optional<ModelAnswer> take();

 private:
  void add_candidate(const json::object& candidate);
  void add_part(const json::object& part);
  void add_call(const json::object& call);
  void keep(const json::object& part);
  void add_usage(const json::object& usage);
  bool set_stop();
  void set_raw();

  AnswerBuilder builder_;
  json::array parts_;
  bool must_keep_parts_ = false;  // they hold more than the canonical fields
  std::string finish_reason_;
  std::string finish_message_;
  std::string block_reason_;
  std::optional<json::object> error_;
  bool recognised_ = false;
  bool grew_after_finish_ = false;
};

}  // namespace perdure
