#pragma once
// Puts the events of one answer of ConverseStream together.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/json.h"
#include "model/answer_builder.h"
#include "model/call_failure.h"

namespace perdure {

class BedrockAssembly {
 public:
  BedrockAssembly(AnswerBuilder::OnDelta on_delta, const AnswerLimits& limits);

  // `name` is that of the event. Events that are not known are passed over.
  void add(std::string_view name, const json::object& event);

  void spoil(std::string why) { builder_.spoil(std::move(why)); }
  const std::string& damage() const { return builder_.damage(); }
  CallFailure broken_off(CallFailure failure) const {
    return builder_.broken_off(std::move(failure));
  }
  bool recognised() const { return recognised_; }
  bool finished() const { return !stop_reason_.empty(); }

  // When finished(): the end was not an answer's.
  std::optional<CallFailure> failure() const;
  // Once, when finished(), and nothing is damaged or failed.
  std::optional<ModelAnswer> take(std::string_view response_id);

 private:
  // A content block while its pieces come. At most one of its members is used.
  struct Block {
    std::string text;
    std::string reasoning, signature, redacted;  // of reasoningContent
    std::optional<size_t> call;                  // among the calls of the answer
  };

  Block* block_of(const json::object& event);
  void start_block(const json::object& event);
  void add_delta(const json::object& event);
  void add_reasoning(Block& block, const json::object& piece);
  void add_usage(const json::object& usage);
  bool set_stop();
  void set_raw();

  AnswerBuilder builder_;
  std::map<int64_t, Block> blocks_;  // by contentBlockIndex
  size_t blocks_max_;
  std::string stop_reason_;
  bool recognised_ = false;
};

}  // namespace perdure
