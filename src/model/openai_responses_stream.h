#pragma once
// Reads an answer of the Responses API: a stream of events, or one response object. Sans I/O: bytes
// in at any split.
//
// An answer is whole when the response is completed or incomplete. Output items that the canonical
// fields cannot hold (reasoning, tools that run at the provider) are kept as raw items. Arguments
// are kept as written, valid JSON or not: the agent checks them.
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "model/answer_builder.h"
#include "model/codec.h"
#include "model/events_or_object.h"

namespace perdure {

class OpenAiResponsesStream final : public AnswerReader {
 public:
  explicit OpenAiResponsesStream(ReaderEvents events, AnswerLimits limits = {});
  OpenAiResponsesStream(const OpenAiResponsesStream&) = delete;
  OpenAiResponsesStream& operator=(const OpenAiResponsesStream&) = delete;

  void feed(std::string_view bytes) override;
  AnswerOrFailure finish(const AnswerEnd& end) override;

 private:
  void read_event(const SseEvent& event);
  void read_response(const json::object& response);  // at its end, or as it stands
  void note_id(const json::object& response);
  void add_text(int64_t index, std::string_view text);
  void take_item(int64_t index, const json::object& item);
  void take_message(int64_t index, const json::object& item);
  void take_call(const json::object& item);
  void take_end(const json::object& response);
  void add_usage(const json::object& usage);
  void settle();  // from items to the answer
  CallFailure of_stream_error(const AnswerEnd& end) const;
  CallFailure no_answer(const AnswerEnd& end) const;

  AnswerLimits limits_;
  std::function<void(std::string_view)> on_response_id_;
  AnswerBuilder builder_;
  EventsOrObject body_;
  std::map<int64_t, std::string> streamed_;  // texts of messages by output_index
  std::map<int64_t, json::object> items_;    // whole ones
  std::optional<json::value> error_;         // of the response
  std::optional<json::value> stream_error_;  // of the connection to it
  std::string status_;                       // of the response, as far as it is known
  bool ended_ = false;
};

}  // namespace perdure
