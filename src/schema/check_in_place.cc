// The keywords that apply subschemas to the same value.
#include <fmt/core.h>

#include "base/text.h"
#include "schema/evaluation.h"
#include "schema/words.h"

namespace perdure::schema {
namespace {

// Of the alternatives that failed, the one that speaks of the deepest place is meant most likely;
// among equals, the one with the least to say.
bool is_nearer(const Problems& a, const Problems& b) {
  if (a.empty() || b.empty()) return !a.empty();
  const bool a_inside = !a.front().at.empty();
  const bool b_inside = !b.front().at.empty();
  const size_t a_size = a.front().at.size();
  const size_t b_size = b.front().at.size();
  if (a_inside != b_inside) return a_inside;
  return a.size() != b.size() ? a.size() < b.size() : a_size > b_size;
}

std::string none_of(size_t count, const Problems& nearest, size_t which) {
  std::string out = fmt::format("one of {} alternatives, and it is none", count);
  if (nearest.empty()) return out;
  const SchemaProblem& first = nearest.front();
  return fmt::format("{}; the nearest is number {}, where {} is expected{}{}", out, which + 1,
                     beginning(first.expected, 200), first.at.empty() ? "" : " at ", first.at);
}

}  // namespace

bool Evaluation::same(const Frame& in, NodeId id, Problems* problems) {
  if (in.seen == nullptr) return run(id, in.value, in.path, nullptr, problems);
  Seen seen;
  if (!run(id, in.value, in.path, &seen, problems)) return false;
  work_.spend(seen.size() / 64);
  in.seen->add(seen);
  return true;
}

NodeId Evaluation::dynamic_target(const InPlace& rules) {
  if (rules.dynamic_anchor.empty()) return rules.dynamic_ref;
  work_.spend(scope_.size());
  for (const ResourceId resource : scope_) {
    const auto& anchors = program_.resources[resource].dynamic;
    const auto found = anchors.find(rules.dynamic_anchor);
    if (found != anchors.end()) return found->second;
  }
  return rules.dynamic_ref;
}

bool Evaluation::check_in_place(const Frame& in, const InPlace& rules) {
  bool holds = true;
  const auto goes_on = [&] { return (holds || wants_more(in)) && !work_.exhausted(); };
  if (rules.ref != kNoNode) holds = same(in, rules.ref, in.problems);
  if (rules.dynamic_ref != kNoNode && goes_on()) {
    holds = same(in, dynamic_target(rules), in.problems) && holds;
  }
  for (const NodeId id : rules.all_of) {
    if (goes_on()) holds = same(in, id, in.problems) && holds;
  }
  if (!rules.any_of.empty() && goes_on()) holds = check_any_of(in, rules) && holds;
  if (!rules.one_of.empty() && goes_on()) holds = check_one_of(in, rules) && holds;
  if (rules.not_ != kNoNode && goes_on()) {
    if (run(rules.not_, in.value, in.path, nullptr, nullptr)) {
      holds = wrong(in, "something that the schema does not exclude (\"not\")");
    }
  }
  if (rules.if_ != kNoNode && goes_on()) holds = check_if(in, rules) && holds;
  if (const auto* members = in.value.if_object()) {
    for (const auto& [name, id] : rules.dependent_schemas) {
      if (goes_on() && members->contains(name)) holds = same(in, id, in.problems) && holds;
    }
  }
  return holds;
}

bool Evaluation::check_any_of(const Frame& in, const InPlace& rules) {
  Problems nearest;
  size_t which = 0;
  bool holds = false;
  for (size_t i = 0; i < rules.any_of.size(); ++i) {
    Problems problems;
    if (same(in, rules.any_of[i], wants_more(in) ? &problems : nullptr)) {
      holds = true;
      if (in.seen == nullptr) return true;  // nobody asks what the others would see
    } else if (is_nearer(problems, nearest)) {
      nearest = std::move(problems);
      which = i;
    }
    if (work_.exhausted()) return false;
  }
  return holds || wrong(in, none_of(rules.any_of.size(), nearest, which));
}

bool Evaluation::check_one_of(const Frame& in, const InPlace& rules) {
  Problems nearest;
  size_t which = 0;
  std::vector<size_t> matching;
  for (size_t i = 0; i < rules.one_of.size(); ++i) {
    Problems problems;
    if (same(in, rules.one_of[i], wants_more(in) && matching.empty() ? &problems : nullptr)) {
      matching.push_back(i);
      if (matching.size() > 1) break;
    } else if (is_nearer(problems, nearest)) {
      nearest = std::move(problems);
      which = i;
    }
    if (work_.exhausted()) return false;
  }
  if (matching.size() == 1) return true;
  if (matching.empty()) return wrong(in, none_of(rules.one_of.size(), nearest, which));
  return wrong(in, fmt::format("exactly one of {} alternatives, and it is both number {} and {}",
                               rules.one_of.size(), matching[0] + 1, matching[1] + 1));
}

bool Evaluation::check_if(const Frame& in, const InPlace& rules) {
  const NodeId next = same(in, rules.if_, nullptr) ? rules.then_ : rules.else_;
  return next == kNoNode || same(in, next, in.problems);
}

}  // namespace perdure::schema
