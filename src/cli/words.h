#pragma once
// What the server says, as text for a terminal.
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"

namespace perdure::cli {

// The member's text, as JSON if it is no string; empty if there is none.
std::string text_at(const json::object& object, std::string_view name);

// Much of what is shown comes from models and tools: control characters could move the cursor or
// change what was printed before. They become spaces.
std::string plain(std::string_view text);

// Columns as wide as their widest cell; rows are lines.
class Table {
 public:
  explicit Table(std::vector<std::string> head) { add(std::move(head)); }
  void add(std::vector<std::string> row);
  std::string text() const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

// {"kind", "reason", ...} in a few words.
std::string waits_text(const json::object& task);
std::string cost_text(const json::object& task);
// Everything about one task that fits a screen.
std::string task_text(const json::object& task);
// What is asked, about what, and the commands that answer.
std::string interrupt_text(const json::object& interrupt);
// The step and what came of it, for one record of a journal.
std::string record_text(const json::object& record);

}  // namespace perdure::cli
