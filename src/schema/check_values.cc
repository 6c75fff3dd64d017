// The keywords that speak of numbers, strings, arrays and objects.
#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "schema/equal.h"
#include "schema/evaluation.h"
#include "schema/number.h"
#include "schema/words.h"

namespace perdure::schema {
namespace {

uint64_t count_characters(std::string_view text) {
  return static_cast<uint64_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

// "3 items", "at least" and the like before it.
std::string counted(std::string_view bound, uint64_t count, std::string_view noun,
                    std::string_view plural) {
  return fmt::format("{} {} {}", bound, count, count == 1 ? noun : plural);
}

std::string no_such_member(std::string_view name, const std::vector<std::string>& known) {
  if (known.empty()) return "no member of this name";
  if (const auto nearest = nearest_word(name, known)) {
    return fmt::format("no member of this name; did you mean {}?", quoted(*nearest));
  }
  return fmt::format("no member of this name; the object has {}", names_in_words(known));
}

}  // namespace

bool Evaluation::check_number(const Frame& in, const NumberRules& rules) {
  const json::value& number = in.value;
  if (rules.minimum != nullptr && compare_numbers(number, *rules.minimum) < 0) {
    return wrong(in, fmt::format("a number of at least {}", shown(*rules.minimum)));
  }
  if (rules.maximum != nullptr && compare_numbers(number, *rules.maximum) > 0) {
    return wrong(in, fmt::format("a number of at most {}", shown(*rules.maximum)));
  }
  if (rules.above != nullptr && compare_numbers(number, *rules.above) <= 0) {
    return wrong(in, fmt::format("a number above {}", shown(*rules.above)));
  }
  if (rules.below != nullptr && compare_numbers(number, *rules.below) >= 0) {
    return wrong(in, fmt::format("a number below {}", shown(*rules.below)));
  }
  if (rules.multiple_of != nullptr && !is_multiple(number, *rules.multiple_of)) {
    return wrong(in, fmt::format("a multiple of {}", shown(*rules.multiple_of)));
  }
  return true;
}

bool Evaluation::check_string(const Frame& in, const StringRules& rules) {
  const std::string_view text = in.value.get_string();
  if (rules.min_length > 0 || rules.max_length < UINT64_MAX) {
    if (!work_.spend(text.size() / 64)) return false;
    const uint64_t length = count_characters(text);
    if (length < rules.min_length) {
      return wrong(in,
                   counted("a string of at least", rules.min_length, "character", "characters"));
    }
    if (length > rules.max_length) {
      return wrong(in, counted("a string of at most", rules.max_length, "character", "characters"));
    }
  }
  if (rules.pattern) {
    if (!work_.spend(rules.pattern->cost(text))) return false;
    if (!rules.pattern->matches(text)) {
      return wrong(in, fmt::format("a string that matches the pattern {}",
                                   quoted(rules.pattern->text(), 120)));
    }
  }
  return true;
}

bool Evaluation::check_array(const Frame& in, const ArrayRules& rules) {
  const json::array& items = in.value.get_array();
  if (items.size() < rules.min_items) {
    return wrong(in, counted("an array of at least", rules.min_items, "item", "items"));
  }
  if (items.size() > rules.max_items) {
    return wrong(in, counted("an array of at most", rules.max_items, "item", "items"));
  }
  if (rules.unique && !all_differ(items, work_)) {
    return wrong(in, "an array without two equal items");
  }
  bool holds = true;
  for (size_t i = 0; i < items.size() && (holds || wants_more(in)); ++i) {
    const NodeId id = i < rules.prefix.size() ? rules.prefix[i] : rules.items;
    if (id == kNoNode) break;
    const Path at{&in.path, {}, i};
    holds = run(id, items[i], at, nullptr, in.problems) && holds;
    if (work_.exhausted()) return false;
  }
  if (in.seen != nullptr) {
    if (rules.items != kNoNode) in.seen->add_all();
    const size_t prefix = std::min(rules.prefix.size(), items.size());
    for (size_t i = 0; i < prefix; ++i) in.seen->add(i);
  }
  if (rules.contains != kNoNode && (holds || wants_more(in))) {
    holds = check_contains(in, rules) && holds;
  }
  return holds;
}

bool Evaluation::check_contains(const Frame& in, const ArrayRules& rules) {
  const json::array& items = in.value.get_array();
  uint64_t matching = 0;
  for (size_t i = 0; i < items.size(); ++i) {
    const Path at{&in.path, {}, i};
    if (run(rules.contains, items[i], at, nullptr, nullptr)) {
      ++matching;
      if (in.seen != nullptr) in.seen->add(i);
    }
    if (work_.exhausted()) return false;
  }
  if (matching < rules.min_contains) {
    return wrong(in, counted("an array with at least", rules.min_contains, "item", "items") +
                         " of the kind that \"contains\" asks for");
  }
  if (matching > rules.max_contains) {
    return wrong(in, counted("an array with at most", rules.max_contains, "item", "items") +
                         " of the kind that \"contains\" asks for");
  }
  return true;
}

bool Evaluation::check_object(const Frame& in, const ObjectRules& rules) {
  const json::object& members = in.value.get_object();
  bool holds = true;
  const auto missing = [&](const std::string& name, std::string_view why) {
    if (members.contains(name)) return;
    holds = wrong(in, fmt::format("an object with the member {}{}", quoted(name), why));
  };
  if (!work_.spend(rules.required.size())) return false;
  for (const std::string& name : rules.required) {
    if (!holds && !wants_more(in)) break;
    missing(name, "");
  }
  for (const auto& [name, needed] : rules.dependent_required) {
    if (!work_.spend(1 + needed.size())) return false;
    if (!members.contains(name)) continue;
    for (const std::string& each : needed) {
      if (!holds && !wants_more(in)) break;
      missing(each, fmt::format(", since {} is there", quoted(name)));
    }
  }
  if (members.size() < rules.min_properties) {
    holds = wrong(in, counted("an object of at least", rules.min_properties, "member", "members"));
  }
  if (members.size() > rules.max_properties) {
    holds = wrong(in, counted("an object of at most", rules.max_properties, "member", "members"));
  }
  return (holds || wants_more(in)) ? check_members(in, rules) && holds : holds;
}

bool Evaluation::check_members(const Frame& in, const ObjectRules& rules) {
  if (rules.properties.empty() && rules.patterns.empty() && rules.additional == kNoNode &&
      rules.property_names == kNoNode) {
    return true;
  }
  bool holds = true;
  size_t place = 0;
  for (const auto& [name, member] : in.value.get_object()) {
    bool known = false;
    holds = check_member(in, rules, name, member, known) && holds;
    if (known && in.seen != nullptr) in.seen->add(place);
    ++place;
    if (work_.exhausted() || (!holds && !wants_more(in))) return false;
  }
  return holds;
}

bool Evaluation::check_member(const Frame& in, const ObjectRules& rules, std::string_view name,
                              const json::value& member, bool& known) {
  const Path at{&in.path, name, {}};
  bool holds = true;
  if (!work_.spend(1)) return false;
  if (const auto found = rules.properties.find(name); found != rules.properties.end()) {
    known = true;
    holds = run(found->second, member, at, nullptr, in.problems);
  }
  for (const auto& [pattern, id] : rules.patterns) {
    if (!work_.spend(pattern.cost(name))) return false;
    if (!pattern.matches(name)) continue;
    known = true;
    holds = run(id, member, at, nullptr, in.problems) && holds;
  }
  if (!known && rules.additional != kNoNode) {
    known = true;
    if (program_.nodes[rules.additional].constant == false) {
      return wrong({in.node, member, at, nullptr, in.problems},
                   wants_more(in) ? no_such_member(name, rules.names) : std::string());
    }
    holds = run(rules.additional, member, at, nullptr, in.problems) && holds;
  }
  if (rules.property_names != kNoNode) {
    const json::value text(json::string{name});
    holds = run(rules.property_names, text, at, nullptr, in.problems) && holds;
  }
  return holds;
}

}  // namespace perdure::schema
