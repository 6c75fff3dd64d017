#include "schema/evaluation.h"

#include <fmt/core.h>

#include "base/text.h"
#include "schema/equal.h"
#include "schema/number.h"
#include "schema/words.h"

namespace perdure::schema {
namespace {

// One level of a value takes a few of them: properties, a reference, an alternative.
constexpr size_t kDepthMax = 800;

uint8_t type_of(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return kNull;
    case json::kind::bool_:
      return kBoolean;
    case json::kind::int64:
    case json::kind::uint64:
      return kInteger;
    case json::kind::double_:
      return is_integral(value) ? kInteger : kNumber;
    case json::kind::string:
      return kString;
    case json::kind::array:
      return kArray;
    case json::kind::object:
      return kObject;
  }
  return 0;
}

}  // namespace

std::string Path::pointer() const {
  std::vector<std::string> tokens;
  for (const Path* at = this; at->up != nullptr; at = at->up) {
    std::string token;
    if (at->index) {
      token = fmt::format("{}", *at->index);
    } else {
      for (const char c : at->name) {
        if (c == '~' || c == '/') {
          token += c == '~' ? "~0" : "~1";
        } else {
          token += c;
        }
      }
    }
    tokens.push_back(std::move(token));
  }
  std::string out;
  for (auto token = tokens.rbegin(); token != tokens.rend(); ++token) out += "/" + *token;
  constexpr size_t kPointerMaxBytes = 400;
  return out.size() <= kPointerMaxBytes ? out
                                        : std::string(beginning(out, kPointerMaxBytes)) + "...";
}

bool Evaluation::run(NodeId id, const json::value& value, const Path& path, Seen* seen,
                     Problems* problems) {
  if (!work_.spend(1)) return false;
  if (depth_ >= kDepthMax) return work_.give_up("schema and value are nested too deeply");
  ++depth_;
  const Node& node = program_.nodes[id];
  const bool enters = scope_.empty() || scope_.back() != node.resource;
  if (enters) scope_.push_back(node.resource);
  const bool holds = enter({node, value, path, seen, problems});
  if (enters) scope_.pop_back();
  --depth_;
  return holds;
}

bool Evaluation::wrong(const Frame& in, std::string expected) {
  if (wants_more(in)) {
    in.problems->push_back({in.path.pointer(), std::move(expected), found_in_words(in.value)});
  }
  return false;
}

bool Evaluation::enter(const Frame& in) {
  const Node& node = in.node;
  if (node.constant) {
    return *node.constant || wrong(in, "nothing: no value is allowed here");
  }
  const bool unevaluated = (node.unevaluated_items != kNoNode && in.value.is_array()) ||
                           (node.unevaluated_properties != kNoNode && in.value.is_object());
  Seen own;
  const Frame inner{node, in.value, in.path, unevaluated ? &own : in.seen, in.problems};
  bool holds = check_value(inner);
  if ((holds || wants_more(in)) && node.in_place) {
    holds = check_in_place(inner, *node.in_place) && holds;
  }
  if (!unevaluated) return holds;
  if (holds) holds = check_unevaluated(inner);
  if (in.seen != nullptr) in.seen->add(own);
  return holds;
}

// A value of the wrong type is said to be that, and nothing more.
bool Evaluation::check_value(const Frame& in) {
  const Node& node = in.node;
  if (node.types != 0 && (type_of(in.value) & node.types) == 0) {
    return wrong(in, types_in_words(node.types));
  }
  if (node.const_value != nullptr && !equal(in.value, *node.const_value, work_)) {
    return wrong(in, shown(*node.const_value));
  }
  if (node.enum_values != nullptr) {
    bool found = false;
    for (const json::value& each : *node.enum_values) {
      found = found || equal(in.value, each, work_);
      if (found || work_.exhausted()) break;
    }
    if (!found) return wrong(in, one_of_in_words(*node.enum_values));
  }
  if (node.numbers && in.value.is_number()) return check_number(in, *node.numbers);
  if (node.strings && in.value.is_string()) return check_string(in, *node.strings);
  if (node.arrays && in.value.is_array()) return check_array(in, *node.arrays);
  if (node.objects && in.value.is_object()) return check_object(in, *node.objects);
  return true;
}

bool Evaluation::check_unevaluated(const Frame& in) {
  bool holds = true;
  if (const auto* items = in.value.if_array()) {
    for (size_t i = 0; i < items->size() && (holds || wants_more(in)); ++i) {
      if (in.seen->has(i)) continue;
      const Path at{&in.path, {}, i};
      holds = run(in.node.unevaluated_items, (*items)[i], at, nullptr, in.problems) && holds;
    }
  } else if (const auto* members = in.value.if_object()) {
    size_t i = 0;
    for (const auto& [name, member] : *members) {
      if (!holds && !wants_more(in)) break;
      if (in.seen->has(i++)) continue;
      const Path at{&in.path, name, {}};
      holds = run(in.node.unevaluated_properties, member, at, nullptr, in.problems) && holds;
    }
  }
  if (holds) in.seen->add_all();
  return holds;
}

}  // namespace perdure::schema
