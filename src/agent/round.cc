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
    large_[step] = std::move(result);
  }
  return shown;
}

const std::string* Round::large_result(std::string_view call) const {
  const auto found = large_.find(call);
  return found == large_.end() ? nullptr : found->second.text.get();
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

namespace {

void put(LayoutWriter& out, const ToolResult& result) {
  out.put(result.hash), out.put(result.is_error), out.put_text(result.text, result.is_blob);
}

void get(LayoutReader& in, ToolResult& result) {
  in.get(result.hash), in.get(result.is_error);
  result.text = in.get_text(result.is_blob);
}

template <class Results>
void put_all(LayoutWriter& out, const Results& results) {
  out.put(uint64_t{results.size()});
  for (const auto& [step, result] : results) out.put(step), put(out, result);
}

template <class Results>
void get_all(LayoutReader& in, Results& results) {
  uint64_t count = 0;
  in.get(count);
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    StepId step;
    in.get(step);
    if (!results.empty() && !(results.rbegin()->first < step)) return in.spoil();
    get(in, results.emplace_hint(results.end(), std::move(step), ToolResult{})->second);
  }
}

}  // namespace

void Round::write(LayoutWriter& out) const {
  out.put(turn_), out.put(uint64_t{calls_.size()});
  for (const Call& call : calls_) {
    out.put(call.planned), out.put(call.malformed), out.put(call.by_planner);
    out.put(call.asks_person), out.put(call.edited), out.put(call.same_as);
    out.put(call.result.has_value());
    if (call.result) put(out, *call.result);
  }
  put_all(out, outcomes_);
  put_all(out, large_);
  out.put(large_bytes_);
}

void Round::read(LayoutReader& in) {
  uint64_t count = 0;
  in.get(turn_), in.get(count);
  for (uint64_t i = 0; i < count && in.ok(); ++i) {
    Call& call = calls_.emplace_back();
    in.get(call.planned), in.get(call.malformed), in.get(call.by_planner);
    in.get(call.asks_person), in.get_payload(call.edited), in.get(call.same_as);
    bool has_result = false;
    in.get(has_result);
    if (has_result) get(in, call.result.emplace());
  }
  get_all(in, outcomes_);
  get_all(in, large_);
  in.get(large_bytes_);
}

}  // namespace perdure
