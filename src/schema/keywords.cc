// The keywords that speak of a value itself: the validation vocabulary.
#include <fmt/core.h>

#include <array>
#include <utility>

#include "base/text.h"
#include "schema/compiler.h"
#include "schema/number.h"

namespace perdure::schema {
namespace {

constexpr size_t kPatternsMax = 200;

constexpr auto kTypes = std::to_array<std::pair<std::string_view, uint8_t>>({
    {"null", kNull},
    {"boolean", kBoolean},
    {"integer", kInteger},
    {"number", kInteger | kNumber},
    {"string", kString},
    {"array", kArray},
    {"object", kObject},
});

uint8_t type_bits(std::string_view name) {
  for (const auto& [known, bits] : kTypes) {
    if (known == name) return bits;
  }
  return 0;
}

std::string no_such_type(std::string_view name) {
  std::vector<std::string> names;
  for (const auto& [known, bits] : kTypes) names.emplace_back(known);
  return fmt::format("there is no type '{}'{}", beginning(name, 64), did_you_mean(name, names));
}

}  // namespace

void Compiler::types(const Context& in, Node& out) {
  const json::value* held = value(in, "type");
  if (held == nullptr) return;
  const std::string place = below(in.place, "type");
  for (const std::string& name :
       held->is_string() ? std::vector{std::string(held->get_string())} : words(*held, place)) {
    const uint8_t bits = type_bits(name);
    if (bits == 0) return refuse(place, no_such_type(name));
    out.types |= bits;
  }
  if (out.types == 0) refuse(place, "no value can satisfy an empty list");
}

void Compiler::values(const Context& in, Node& out) {
  out.const_value = value(in, "const");
  const json::value* held = value(in, "enum");
  if (held == nullptr) return;
  out.enum_values = held->if_array();
  if (out.enum_values == nullptr) refuse(below(in.place, "enum"), "expected an array of values");
}

const json::value* Compiler::number(const Context& in, std::string_view keyword) {
  const json::value* held = value(in, keyword);
  if (held == nullptr || held->is_number()) return held;
  refuse(below(in.place, keyword), "expected a number");
  return nullptr;
}

void Compiler::count(const Context& in, std::string_view keyword, uint64_t& out) {
  const json::value* held = value(in, keyword);
  if (held != nullptr && !to_count(*held, out)) {
    refuse(below(in.place, keyword), "expected a whole number, not below 0");
  }
}

std::vector<std::string> Compiler::words(const json::value& value, const std::string& place) {
  std::vector<std::string> out;
  const json::array* items = value.if_array();
  if (items == nullptr) {
    refuse(place, "expected an array of strings");
    return out;
  }
  for (const json::value& item : *items) {
    if (!item.is_string()) {
      refuse(place, "expected an array of strings");
      break;
    }
    out.emplace_back(item.get_string());
  }
  return out;
}

std::optional<Pattern> Compiler::pattern(std::string_view text, const std::string& place) {
  if (++patterns_ > kPatternsMax) {
    refuse(place, fmt::format("the schema has more than {} patterns", kPatternsMax),
           Code::kTooLarge);
    return std::nullopt;
  }
  auto compiled = Pattern::compile(text);
  if (compiled) return *std::move(compiled);
  refuse(place, beginning(compiled.error().message, 300), compiled.error().code);
  return std::nullopt;
}

void Compiler::numbers(const Context& in, Node& out) {
  NumberRules rules;
  rules.minimum = number(in, "minimum");
  rules.maximum = number(in, "maximum");
  // As booleans, in an older draft, they sharpen the other bound.
  const auto exclusive = [&](std::string_view keyword, const json::value*& bound,
                             const json::value*& out_bound) {
    const json::value* held = value(in, keyword);
    if (held == nullptr) return;
    if (!held->is_bool()) {
      out_bound = number(in, keyword);
    } else if (held->get_bool()) {
      out_bound = std::exchange(bound, nullptr);
    }
  };
  exclusive("exclusiveMinimum", rules.minimum, rules.above);
  exclusive("exclusiveMaximum", rules.maximum, rules.below);
  rules.multiple_of = number(in, "multipleOf");
  if (rules.multiple_of != nullptr && compare_numbers(*rules.multiple_of, json::value(0)) <= 0) {
    refuse(below(in.place, "multipleOf"), "expected a number above 0");
  }
  if (rules.minimum != nullptr || rules.maximum != nullptr || rules.above != nullptr ||
      rules.below != nullptr || rules.multiple_of != nullptr) {
    Node::in(out.numbers) = rules;
  }
}

void Compiler::strings(const Context& in, Node& out) {
  StringRules rules;
  count(in, "minLength", rules.min_length);
  count(in, "maxLength", rules.max_length);
  if (const json::value* held = value(in, "pattern")) {
    const std::string place = below(in.place, "pattern");
    if (!held->is_string()) return refuse(place, "expected a pattern, which is a string");
    rules.pattern = pattern(held->get_string(), place);
  }
  if (rules.min_length > 0 || rules.max_length < UINT64_MAX || rules.pattern) {
    Node::in(out.strings) = std::move(rules);
  }
}

void Compiler::array_counts(const Context& in, Node& out) {
  ArrayRules rules;
  count(in, "minItems", rules.min_items);
  count(in, "maxItems", rules.max_items);
  count(in, "minContains", rules.min_contains);
  count(in, "maxContains", rules.max_contains);
  if (const json::value* held = value(in, "uniqueItems")) {
    if (!held->is_bool()) refuse(below(in.place, "uniqueItems"), "expected true or false");
    rules.unique = held->is_bool() && held->get_bool();
  }
  if (rules.min_items > 0 || rules.max_items < UINT64_MAX || rules.unique ||
      rules.min_contains != 1 || rules.max_contains < UINT64_MAX) {
    Node::in(out.arrays) = std::move(rules);
  }
}

void Compiler::object_counts(const Context& in, Node& out) {
  ObjectRules rules;
  count(in, "minProperties", rules.min_properties);
  count(in, "maxProperties", rules.max_properties);
  if (const json::value* held = value(in, "required")) {
    rules.required = words(*held, below(in.place, "required"));
  }
  if (rules.min_properties > 0 || rules.max_properties < UINT64_MAX || !rules.required.empty()) {
    Node::in(out.objects) = std::move(rules);
  }
}

}  // namespace perdure::schema
