#include "agent/round.h"

#include <algorithm>
#include <utility>

#include "agent/step_ids.h"
#include "base/assert.h"

namespace perdure {

void Round::open(uint64_t turn, size_t calls) {
  turn_ = turn;
  calls_.assign(calls, {});
}

bool Round::is_settled() const {
  return std::all_of(calls_.begin(), calls_.end(), [](const Call& c) { return c.settled(); });
}

bool Round::is_malformed() const {
  return has_calls() &&
         std::all_of(calls_.begin(), calls_.end(), [](const Call& c) { return c.malformed; });
}

Round::Call* Round::find_open(const StepId& step) {
  const auto place = parse_tool_step(step);
  if (!place || place->turn != turn_ || place->index >= calls_.size()) return nullptr;
  Call& call = calls_[place->index];
  return call.settled() ? nullptr : &call;
}

void Round::settle(const StepId& step, ToolResult result, const InlineRules& rules) {
  Call* call = find_open(step);
  PERDURE_ASSERT(call != nullptr, "only a call that is open gets a result");
  call->result = call->by_planner ? std::move(result) : in_part(step, std::move(result), rules);
  if (call->edited.exists()) call->result = result_of_edited(*call->result, call->edited);
}

// What is too large is kept beside the conversation.
ToolResult Round::in_part(const StepId& step, ToolResult result, const InlineRules& rules) {
  if (!is_too_large(*result.text, rules)) return result;
  ToolResult shown = result_in_words(preview_of(*result.text, step, rules), result.is_error);
  if (rules.can_read_more) {
    large_bytes_ += result.text->size();
    large_[step] = std::move(result.text);
  }
  return shown;
}

const std::string* Round::large_result(std::string_view call) const {
  const auto found = large_.find(call);
  return found == large_.end() ? nullptr : found->second.get();
}

const ToolResult* Round::outcome_of(const StepId& step) const {
  const StepId* at = &step;
  for (size_t hops = 0; hops <= calls_.size(); ++hops) {
    const auto place = parse_tool_step(*at);
    if (!place || place->turn != turn_ || place->index >= calls_.size()) {
      const auto found = outcomes_.find(*at);
      return found == outcomes_.end() ? nullptr : &found->second;
    }
    const Call& call = calls_[place->index];
    if (call.result) return &*call.result;
    at = &call.same_as;
  }
  return nullptr;
}

std::vector<ToolResult> Round::close() {
  std::vector<ToolResult> told;
  std::vector<ToolResult> originals;
  for (const Call& call : calls_) {
    const ToolResult* original = call.result ? &*call.result : outcome_of(call.same_as);
    told.push_back(call.result ? *call.result : result_repeated(original));
    originals.push_back(original ? *original : told.back());
  }
  for (size_t i = 0; i < told.size(); ++i) {
    outcomes_[tool_step_id(turn_, i)] = std::move(originals[i]);
  }
  calls_.clear();
  return told;
}

}  // namespace perdure
