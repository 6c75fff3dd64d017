#include "model/openai_responses_stream.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/json_fields.h"
#include "model/openai_errors.h"
#include "model/openai_responses_request.h"
#include "model/token_count.h"

namespace perdure {
namespace {

using Stop = ModelAnswer::Stop;

// How long a response that goes on at the provider is left alone.
constexpr int64_t kAskAgainMs = 5000;

constexpr std::string_view kEndEvents[] = {"response.completed", "response.incomplete",
                                           "response.failed", "response.cancelled"};

// A message of texts and refusals alone.
bool is_plain_message(const json::object& item) {
  const json::array* content = array_in(item, "content");
  if (text_in(item, "type") != "message" || content == nullptr) return false;
  return std::all_of(content->begin(), content->end(), [](const json::value& part) {
    const json::object* object = part.if_object();
    if (object == nullptr) return false;
    const json::array* annotations = array_in(*object, "annotations");
    return text_in(*object, "type") == "output_text" &&
           (annotations == nullptr || annotations->empty());
  });
}

// Reasoning that is neither encrypted nor kept at the provider cannot be sent back.
bool can_go_back(const json::object& item) {
  return text_in(item, "type") != "reasoning" || !text_in(item, "encrypted_content").empty();
}

}  // namespace

OpenAiResponsesStream::OpenAiResponsesStream(ReaderEvents events, AnswerLimits limits)
    : limits_(limits),
      on_response_id_(std::move(events.on_response_id)),
      builder_(std::move(events.on_delta), limits),
      body_([this](const SseEvent& event) { read_event(event); }, limits.sse) {}

void OpenAiResponsesStream::feed(std::string_view bytes) {
  if (auto read = body_.feed(bytes); !read) builder_.spoil(read.error().message);
}

void OpenAiResponsesStream::read_event(const SseEvent& event) {
  if (!builder_.damage().empty() || error_ || ended_ || event.data == "[DONE]") return;
  const auto parsed = parse_json(event.data, "event", {.size_bytes = limits_.sse.event_bytes});
  if (!parsed) return builder_.spoil(parsed.error().message);
  const json::object* object = parsed->if_object();
  if (object == nullptr) return builder_.spoil("an event is not an object");
  const std::string_view type = text_in(*object, "type");
  const int64_t index = integer_in(*object, "output_index").value_or(-1);
  const json::object* response = object_in(*object, "response");
  if (index >= 0) builder_.begin_output();
  if (type == "error" || event.type == "error") {
    const json::object* error = object_in(*object, "error");
    stream_error_ = error != nullptr ? json::value(*error) : *parsed;
  } else if (type == "response.output_text.delta") {
    add_text(index, text_in(*object, "delta"));
  } else if (type == "response.output_item.done") {
    if (const json::object* item = object_in(*object, "item")) take_item(index, *item);
  } else if (response != nullptr) {
    note_id(*response);
    const bool ends =
        std::find(std::begin(kEndEvents), std::end(kEndEvents), type) != std::end(kEndEvents);
    if (ends) read_response(*response);
  }
}

void OpenAiResponsesStream::note_id(const json::object& response) {
  const std::string_view id = text_in(response, "id");
  status_ = text_in(response, "status");
  if (id.empty() || id == builder_.answer().response_id) return;
  if (!builder_.answer().response_id.empty()) return builder_.spoil("a second response began");
  builder_.answer().response_id = id;
  builder_.answer().model = text_in(response, "model");
  if (on_response_id_) on_response_id_(id);
}

void OpenAiResponsesStream::add_text(int64_t index, std::string_view text) {
  if (items_.contains(index)) return builder_.spoil("a piece came behind the end of its item");
  if (!builder_.count(text.size())) return;
  streamed_[index] += text;
  builder_.add_text(text);
}

void OpenAiResponsesStream::take_item(int64_t index, const json::object& item) {
  if (items_.contains(index)) return;  // it came by itself before
  if (items_.size() >= limits_.blocks) return builder_.spoil("the answer has too many items");
  if (!builder_.count(to_json(item).size())) return;
  const std::string_view type = text_in(item, "type");
  if (type == "message") take_message(index, item);
  if (type == "function_call") take_call(item);
  items_[index] = item;
}

void OpenAiResponsesStream::take_message(int64_t index, const json::object& item) {
  std::string text;
  if (const json::array* content = array_in(item, "content")) {
    for (const json::value& value : *content) {
      const json::object* part = value.if_object();
      if (part == nullptr) continue;
      if (text_in(*part, "type") == "output_text") text += text_in(*part, "text");
      if (text_in(*part, "type") == "refusal") builder_.add_refusal(text_in(*part, "refusal"));
    }
  }
  // What was streamed was provisional: the whole item says what the text is.
  std::string& streamed = streamed_[index];
  if (text.starts_with(streamed)) builder_.add_text(std::string_view(text).substr(streamed.size()));
  streamed = std::move(text);
}

void OpenAiResponsesStream::take_call(const json::object& item) {
  ToolCall* call = builder_.add_call();
  if (call == nullptr) return;
  call->id = text_in(item, "call_id");
  call->name = text_in(item, "name");
  call->arguments = text_in(item, "arguments");
}

void OpenAiResponsesStream::read_response(const json::object& response) {
  note_id(response);
  if (status_ == "queued" || status_ == "in_progress") return;
  if (const json::object* error = object_in(response, "error")) error_ = *error;
  if (const json::array* output = array_in(response, "output")) {
    for (size_t i = 0; i < output->size(); ++i) {
      const json::object* item = (*output)[i].if_object();
      if (item == nullptr) return builder_.spoil("an output item is not an object");
      take_item(static_cast<int64_t>(i), *item);
    }
  }
  if (const json::object* usage = object_in(response, "usage")) add_usage(*usage);
  take_end(response);
}

void OpenAiResponsesStream::take_end(const json::object& response) {
  Stop& stop = builder_.answer().stop;
  ended_ = status_ == "completed" || status_ == "incomplete";
  if (status_ == "incomplete") {
    const json::object* details = object_in(response, "incomplete_details");
    const bool filtered = details != nullptr && text_in(*details, "reason") == "content_filter";
    stop = filtered ? Stop::kRefusal : Stop::kTruncated;
  } else if (status_ == "failed" && !error_) {
    error_ = json::value({{"code", "server_error"}, {"message", "the response failed"}});
  }
}

void OpenAiResponsesStream::add_usage(const json::object& usage) {
  ModelAnswer& answer = builder_.answer();
  answer.input_tokens = tokens_in(usage, "input_tokens").value_or(-1);
  answer.output_tokens = tokens_in(usage, "output_tokens").value_or(-1);
  if (const json::object* in = object_in(usage, "input_tokens_details")) {
    answer.cached_input_tokens = tokens_in(*in, "cached_tokens").value_or(0);
    answer.cache_write_tokens = tokens_in(*in, "cache_write_tokens").value_or(0);
  }
  if (const json::object* out = object_in(usage, "output_tokens_details")) {
    answer.reasoning_tokens = tokens_in(*out, "reasoning_tokens").value_or(0);
  }
}

void OpenAiResponsesStream::settle() {
  builder_.answer().text.clear();
  for (const auto& [index, text] : streamed_) builder_.answer().text += text;
  // A message, then calls, and nothing in them that would be lost.
  bool held = true, message_seen = false, call_seen = false, all_go_back = true;
  std::string items = "[";
  for (const auto& [index, item] : items_) {
    const bool call = text_in(item, "type") == "function_call";
    held = held && (call || (is_plain_message(item) && !message_seen && !call_seen));
    message_seen = message_seen || !call;
    call_seen = call_seen || call;
    all_go_back = all_go_back && can_go_back(item);
    if (items.size() > 1) items += ',';
    items += to_json(item);
  }
  if (held || !all_go_back) return;
  builder_.answer().raw = {std::string(kOpenAiResponsesDialect), items + "]"};
}

// What became of a response in the background only the provider can tell.
CallFailure OpenAiResponsesStream::of_stream_error(const AnswerEnd& end) const {
  CallFailure failure = builder_.broken_off(classify_openai_error(*stream_error_, end));
  if (on_response_id_ && !builder_.answer().response_id.empty()) {
    failure.failure = FailureClass::kAmbiguous;
    failure.outcome = Outcome::kInDoubt;
    failure.refused_work = false;
  }
  return failure;
}

CallFailure OpenAiResponsesStream::no_answer(const AnswerEnd& end) const {
  const bool complete = end.end == HttpResult::End::kComplete;
  if (complete && body_.is_object() && (status_ == "queued" || status_ == "in_progress")) {
    return {FailureClass::kContinue, Outcome::kDeferred, kAskAgainMs,
            fmt::format("the response is {} at the provider", status_)};
  }
  if (!complete) return ended_early(end.end, end.detail);
  if (status_ == "cancelled") {
    return {FailureClass::kTransient, Outcome::kInDoubt, 0,
            "the response was cancelled at the provider"};
  }
  if (status_.empty()) return malformed_answer("it is not a response");
  return ended_early(end.end, end.detail);
}

AnswerOrFailure OpenAiResponsesStream::finish(const AnswerEnd& end) {
  if (body_.is_object() && end.end == HttpResult::End::kComplete) {
    const auto object = body_.object();
    if (!object) {
      builder_.spoil(object.error().message);
    } else if (const json::value* error = object->if_contains("error");
               error != nullptr && !error->is_null() && !object->contains("status")) {
      error_ = *error;
    } else {
      read_response(*object);
    }
  }
  if (error_) return {{}, builder_.broken_off(classify_openai_error(*error_, end))};
  if (stream_error_ && !ended_) return {{}, of_stream_error(end)};
  if (!builder_.damage().empty()) return {{}, malformed_answer(builder_.damage())};
  if (!ended_) return {{}, no_answer(end)};
  settle();
  auto answer = builder_.take();
  if (!answer) return {{}, malformed_answer(builder_.damage())};
  return {std::move(answer), {}};
}

}  // namespace perdure
