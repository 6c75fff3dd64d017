#pragma once
// What the calls of this process came to, by model and tool: for metrics. The journal has each.
#include <cstdint>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <tuple>
#include <utility>

#include "engine/histogram.h"
#include "journal/command.h"
#include "journal/terms.h"

namespace perdure::engine {

class CallTally {
 public:
  // More names than any operator configures: beyond, all are "(other)". A planner may ask for what
  // does not exist, under ever new names.
  static constexpr size_t kNamesMax = 200;

  using Outcomes = std::map<std::tuple<CallKind, std::string, Outcome, FailureClass>, uint64_t>;
  using Used = std::map<std::string, Usage>;  // by model, as far as it is known

  void add(CallKind kind, const std::string& name, const SettleStep& outcome, int64_t took_us);

  Outcomes outcomes() const;
  Used used() const;
  const Histogram& took(CallKind kind) const { return kind == CallKind::kModel ? models_ : tools_; }

 private:
  mutable std::mutex mutex_;
  std::set<std::pair<CallKind, std::string>> names_;
  Outcomes outcomes_;
  Used used_;
  Histogram models_;
  Histogram tools_;
};

}  // namespace perdure::engine
