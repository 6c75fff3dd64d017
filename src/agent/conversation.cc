#include "agent/conversation.h"

#include <algorithm>

#include "base/assert.h"

namespace perdure {
namespace {

// What a provider's format adds around a message or a call.
constexpr uint64_t kOverheadBytes = 32;

void add_sized(Hasher& hasher, std::string_view piece) {
  const uint64_t size = piece.size();
  char bytes[8];
  for (size_t i = 0; i < sizeof bytes; ++i) bytes[i] = static_cast<char>(size >> (8 * i));
  hasher.add({bytes, sizeof bytes}).add(piece);
}

}  // namespace

void Conversation::append_user(std::string text) {
  Entry entry;
  entry.role = Message::Role::kUser;
  entry.text = std::make_shared<const std::string>(std::move(text));
  const Sha256 hash = sha256(*entry.text);
  append(std::move(entry), hash);
}

void Conversation::append_round(std::shared_ptr<const ModelAnswer> answer,
                                const std::vector<ToolResult>& results) {
  PERDURE_ASSERT(results.size() == answer->calls.size(), "every call has one result");
  Entry asked;
  asked.role = Message::Role::kAssistant;
  asked.answer = answer;
  append(std::move(asked), sha256(answer->text));
  for (size_t i = 0; i < results.size(); ++i) {
    Entry told;
    told.role = Message::Role::kTool;
    told.text = results[i].text;
    told.answer = answer;
    told.call = i;
    told.is_error = results[i].is_error;
    told.is_blob = results[i].is_blob;
    append(std::move(told), results[i].hash);
  }
}

void Conversation::append(Entry entry, const Sha256& text_hash) {
  Hasher hasher;
  const char kind[] = {static_cast<char>(entry.role), entry.is_error ? '\1' : '\0'};
  hasher.add(hash_.view()).add({kind, sizeof kind}).add(text_hash.view());
  size_bytes_ += kOverheadBytes;
  if (entry.text) size_bytes_ += entry.text->size();
  const auto add_part = [&](const std::string& part) {
    add_sized(hasher, part);
    size_bytes_ += part.size();
  };
  if (entry.role == Message::Role::kTool) add_part(entry.answer->calls[entry.call].id);
  if (entry.role == Message::Role::kAssistant) {
    size_bytes_ += entry.answer->text.size();
    for (const ToolCall& call : entry.answer->calls) {
      add_part(call.id);
      add_part(call.name);
      add_part(call.arguments);
      size_bytes_ += kOverheadBytes;
    }
    // Journals from before raw items hash as they did.
    if (const RawItems& raw = entry.answer->raw; !raw.dialect.empty()) {
      add_part(raw.dialect);
      add_part(raw.items);
    }
  }
  hash_ = hasher.finish();
  entries_.push_back(std::move(entry));
}

void Conversation::write_to(std::vector<Message>& out) const {
  out.reserve(out.size() + entries_.size());
  for (const Entry& entry : entries_) {
    Message& message = out.emplace_back();
    message.role = entry.role;
    if (entry.text) message.text = *entry.text;
    if (entry.role == Message::Role::kAssistant) {
      message.text = entry.answer->text;
      message.calls = entry.answer->calls;
      message.raw = entry.answer->raw;
    }
    if (entry.role == Message::Role::kTool) {
      message.call_id = entry.answer->calls[entry.call].id;
      message.is_error = entry.is_error;
    }
  }
}

// Of an answer, what a request shows. The results of its calls follow it.
void Conversation::write(LayoutWriter& out) const {
  out.put(hash_), out.put(size_bytes_), out.put(uint64_t{entries_.size()});
  for (const Entry& entry : entries_) {
    out.put(static_cast<uint64_t>(entry.role));
    if (entry.role == Message::Role::kAssistant) {
      out.put(entry.answer->text), out.put_calls(entry.answer->calls), out.put_raw(*entry.answer);
    } else {
      if (entry.role == Message::Role::kTool) out.put(entry.is_error);
      out.put_text(entry.text, entry.is_blob);
    }
  }
}

void Conversation::read(LayoutReader& in) {
  uint64_t count = 0;
  in.get(hash_), in.get(size_bytes_), in.get(count);
  if (count > in.left()) return in.spoil();
  entries_.reserve(std::min(count, in.left() / 8));
  std::shared_ptr<const ModelAnswer> answer;
  size_t next_call = 0;
  while (entries_.size() < count && in.ok()) {
    Entry& entry = entries_.emplace_back();
    entry.role = in.get_enum<Message::Role, Message::Role::kTool>();
    if (entry.role == Message::Role::kAssistant) {
      auto said = std::make_shared<ModelAnswer>();
      in.get(said->text), in.get_calls(said->calls), in.get_raw(*said);
      entry.answer = answer = std::move(said);
      next_call = 0;
    } else if (entry.role == Message::Role::kTool) {
      if (answer == nullptr || next_call == answer->calls.size()) return in.spoil();
      entry.answer = answer;
      entry.call = next_call++;
      in.get(entry.is_error);
      entry.text = in.get_text(entry.is_blob);
    } else {
      entry.text = in.get_text(entry.is_blob);
    }
  }
}

}  // namespace perdure
