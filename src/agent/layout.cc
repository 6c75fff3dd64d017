#include "agent/layout.h"

namespace perdure {

// A number: 0 for no text, that of an earlier one, or the next one and what it is.
void LayoutWriter::put_text(const std::shared_ptr<const std::string>& text, bool is_blob) {
  if (text == nullptr) return put(uint64_t{0});
  const auto [known, is_new] = texts_.try_emplace(text.get(), texts_.size() + 1);
  put(known->second);
  if (!is_new) return;
  put(is_blob);
  if (is_blob) {
    put(Payload::blob(sha256(*text), text->size()));
  } else {
    put(*text);
  }
}

void LayoutWriter::put_calls(const std::vector<ToolCall>& calls) {
  put(uint64_t{calls.size()});
  for (const ToolCall& call : calls) put(call.id), put(call.name), put(call.arguments);
}

void LayoutWriter::put_raw(const ModelAnswer& answer) {
  put(answer.raw.dialect), put(answer.raw.items);
}

std::shared_ptr<const std::string> LayoutReader::get_text(bool& is_blob) {
  uint64_t number = 0;
  get(number);
  if (number > texts_.size() + 1) spoil();
  if (!ok() || number == 0) return nullptr;
  if (number == texts_.size() + 1) {
    Text& text = texts_.emplace_back();
    get(text.is_blob);
    if (text.is_blob) {
      Payload payload;
      get_payload(payload);
      text.text = std::move(payload.bytes);
    } else {
      auto bytes = std::make_shared<std::string>();
      get(*bytes);
      text.text = std::move(bytes);
    }
  }
  is_blob = texts_[number - 1].is_blob;
  return texts_[number - 1].text;
}

// Bytes that cannot be had make the whole not to be had.
void LayoutReader::get_payload(Payload& payload) {
  get(payload);
  if (!ok() || !payload.exists() || payload.place == Payload::Place::kErased) return;
  if (!payload.bytes && !complete_(payload)) spoil();
  if (!payload.bytes) spoil();
}

void LayoutReader::get_calls(std::vector<ToolCall>& calls) {
  uint64_t count = 0;
  get(count);
  for (uint64_t i = 0; i < count && ok(); ++i) {
    ToolCall& call = calls.emplace_back();
    get(call.id), get(call.name), get(call.arguments);
  }
}

void LayoutReader::get_raw(ModelAnswer& answer) {
  get(answer.raw.dialect), get(answer.raw.items);
}

}  // namespace perdure
