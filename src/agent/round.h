#pragma once
// The calls of the answer that stands, and what the model is told about each. What came of the
// calls of closed rounds is kept: a later call that equals one is told the same.
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "agent/layout.h"
#include "agent/preview.h"
#include "agent/tool_result.h"
#include "journal/payload.h"
#include "journal/terms.h"

namespace perdure {

class Round {
 public:
  struct Call {
    bool planned = false;
    bool malformed = false;
    bool by_planner = false;  // what it gave is shown whole
    bool asks_person = false;
    Payload edited;  // the arguments that a person put in place
    StepId same_as;
    std::optional<ToolResult> result;
    bool settled() const { return result.has_value() || !same_as.empty(); }
  };

  // For the answer of this turn.
  void open(uint64_t turn, size_t calls);
  void drop() { calls_.clear(); }

  bool has_calls() const { return !calls_.empty(); }
  bool is_settled() const;
  bool is_malformed() const;  // none of its calls could be read
  // A call that is not settled; null if there is none of that name.
  Call* find_open(const StepId& step);
  // Of a call that is open.
  void settle(const StepId& step, ToolResult result, const InlineRules& rules);
  // What the model is told, in the order of the calls. All are settled.
  std::vector<ToolResult> close();

  // The whole of a result that was shown in part; null if there is none of that name.
  const std::string* large_result(std::string_view call) const;
  uint64_t large_bytes() const { return large_bytes_; }

  void write(LayoutWriter& out) const;
  void read(LayoutReader& in);

 private:
  ToolResult in_part(const StepId& step, ToolResult result, const InlineRules& rules);
  const ToolResult* outcome_of(const StepId& step) const;

  uint64_t turn_ = 0;
  std::vector<Call> calls_;
  // Texts are shared with the conversation.
  std::map<StepId, ToolResult> outcomes_;
  std::map<StepId, ToolResult, std::less<>> large_;
  uint64_t large_bytes_ = 0;
};

}  // namespace perdure
