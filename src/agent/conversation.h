#pragma once
// The messages of a task, append-only. Texts are shared with the journal's payloads where they can
// be; a request is the only place that copies them.
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "agent/layout.h"
#include "agent/tool_result.h"
#include "journal/message.h"

namespace perdure {

class Conversation {
 public:
  // `text` is not empty.
  void append_user(std::string text);
  // An answer with its calls and one result for each, in the order of the calls.
  void append_round(std::shared_ptr<const ModelAnswer> answer,
                    const std::vector<ToolResult>& results);

  // Chained over the parts of each message: equal hashes mean that every message is equal.
  const Sha256& hash() const { return hash_; }
  uint64_t size_bytes() const {
    return size_bytes_;
  }  // of the texts, and a little for each message
  void write_to(std::vector<Message>& out) const;

  void write(LayoutWriter& out) const;
  void read(LayoutReader& in);

 private:
  struct Entry {
    Message::Role role = Message::Role::kUser;
    std::shared_ptr<const std::string> text;    // kUser, kTool
    std::shared_ptr<const ModelAnswer> answer;  // kAssistant; kTool: that of the call
    size_t call = 0;                            // kTool: its place in `answer`
    bool is_error = false;                      // kTool
    bool is_blob = false;                       // kTool: as ToolResult has it
  };

  void append(Entry entry, const Sha256& text_hash);

  std::vector<Entry> entries_;
  Sha256 hash_;
  uint64_t size_bytes_ = 0;
};

}  // namespace perdure
