#pragma once
// Reads an answer of the Messages API: a stream of events, or one message object from a server that
// ignores `stream`. Sans I/O: bytes in at any split.
//
// An answer is whole when its stop_reason came. Blocks that the canonical fields cannot hold
// (thinking, redacted thinking, tools that run at the provider) are kept as raw items with all
// their members. Arguments are kept as written, valid JSON or not: the agent checks them.
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "model/answer_builder.h"
#include "model/codec.h"
#include "model/events_or_object.h"

namespace perdure {

class AnthropicStream final : public AnswerReader {
 public:
  explicit AnthropicStream(ReaderEvents events, AnswerLimits limits = {});
  AnthropicStream(const AnthropicStream&) = delete;
  AnthropicStream& operator=(const AnthropicStream&) = delete;

  void feed(std::string_view bytes) override;
  AnswerOrFailure finish(const AnswerEnd& end) override;

 private:
  struct Block {
    json::object object;       // as it began, with the deltas in it
    std::string partial_json;  // of `input`, as written
  };

  void read_event(const SseEvent& event);
  void read_message(const json::object& message);  // a whole one
  void begin_message(const json::object& message);
  void begin_block(int64_t index, const json::object& block);
  void add_delta(int64_t index, const json::object& delta);
  void add_text_to(Block& block, std::string_view member, std::string_view more);
  void add_end(const json::object& delta);
  void add_usage(const json::object& usage);
  void add_call(const Block& block);
  void settle();  // from blocks to the answer
  bool canonical_fields_hold_all() const;
  std::string raw_items() const;
  CallFailure no_answer(const AnswerEnd& end) const;

  AnswerLimits limits_;
  AnswerBuilder builder_;
  EventsOrObject body_;
  std::vector<Block> blocks_;
  std::map<int64_t, size_t> by_index_;
  std::string stop_reason_;
  // input_tokens of the API leaves out what its cache read and wrote.
  int64_t uncached_tokens_ = -1;
  std::optional<json::value> error_;
  bool recognised_ = false;
  bool raw_is_whole_ = true;  // false: a delta came that nobody knows how to put in
};

}  // namespace perdure
