#include "engine/call_tally.h"

namespace perdure::engine {

void CallTally::add(CallKind kind, const std::string& name, const SettleStep& outcome,
                    int64_t took_us) {
  (kind == CallKind::kModel ? models_ : tools_).add(took_us);
  const std::lock_guard lock(mutex_);
  const bool known = names_.contains({kind, name}) || names_.size() < kNamesMax;
  const std::string shown = known ? name : "(other)";
  if (known) names_.insert({kind, name});
  ++outcomes_[{kind, shown, outcome.outcome, outcome.failure}];
  if (kind != CallKind::kModel || !outcome.used) return;
  Usage& used = used_[shown];
  used.cost_micro_usd += outcome.used->cost_micro_usd;
  used.input_tokens += outcome.used->input_tokens;
  used.output_tokens += outcome.used->output_tokens;
}

CallTally::Outcomes CallTally::outcomes() const {
  const std::lock_guard lock(mutex_);
  return outcomes_;
}

CallTally::Used CallTally::used() const {
  const std::lock_guard lock(mutex_);
  return used_;
}

}  // namespace perdure::engine
