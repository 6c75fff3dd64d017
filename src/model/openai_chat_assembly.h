#pragma once
// Puts the pieces of one answer of the Chat Completions API together.
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "model/answer_builder.h"

namespace perdure {

class OpenAiChatAssembly {
 public:
  OpenAiChatAssembly(AnswerBuilder::OnDelta on_delta, const AnswerLimits& limits);

  // A chunk's or a completion's object; pieces stand in `delta` or in `message`.
  void add(const json::object& chunk);

  void spoil(std::string why) { builder_.spoil(std::move(why)); }
  const std::string& damage() const { return builder_.damage(); }
  CallFailure broken_off(CallFailure failure) const {
    return builder_.broken_off(std::move(failure));
  }
  // An `error` member that came inside the answer.
  const std::optional<json::value>& error() const { return error_; }
  bool recognised() const { return recognised_; }
  bool finished() const { return !finish_reason_.empty(); }
  // Text or calls came behind the first finish_reason: only a clean end shows that all is there.
  bool grew_after_finish() const { return grew_after_finish_; }

  // Once, when finished() and nothing is damaged. Empty, and damage() says why, if the pieces do
  // not make an answer.
  std::optional<ModelAnswer> take();

 private:
  void add_choice(const json::object& choice);
  void add_message(const json::object& message);
  void add_content(const json::value& content);
  void add_text(std::string_view text);
  bool count(size_t bytes);
  void add_call(const json::object& call);
  ToolCall* slot_for(const json::object& call, std::string_view id, std::string_view name);
  void add_usage(const json::value& usage);
  bool set_stop();

  AnswerBuilder builder_;
  std::vector<int64_t> call_indexes_;  // beside the calls; -1: the server named none
  std::string finish_reason_;
  std::optional<json::value> error_;
  bool recognised_ = false;
  bool grew_after_finish_ = false;
};

}  // namespace perdure
