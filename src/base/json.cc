#include "base/json.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <boost/json/basic_parser_impl.hpp>
#include <boost/json/serialize.hpp>
#include <map>

#include "base/json_builder.h"
#include "base/json_number.h"
#include "base/reach.h"
#include "base/text.h"

namespace perdure {
namespace {

// What a parser holds while it works; it takes from the heap what is beyond.
constexpr size_t kParserStackBytes = 2048;

// Of all objects in it.
size_t count_members(const json::value& value) {
  size_t members = 0;
  std::vector<const json::value*> open;
  open.reserve(16);
  open.push_back(&value);
  while (!open.empty()) {
    const json::value* top = open.back();
    open.pop_back();
    if (const auto* object = top->if_object()) {
      members += object->size();
      for (const auto& member : *object) open.push_back(&member.value());
    } else if (const auto* array = top->if_array()) {
      for (const auto& item : *array) open.push_back(&item);
    }
  }
  return members;
}

void write_canonical(const json::value& value, std::string& out) {
  if (const auto* object = value.if_object()) {
    std::map<std::string_view, const json::value*> sorted;
    for (const auto& member : *object) sorted.emplace(member.key(), &member.value());
    out += '{';
    bool first = true;
    for (const auto& [key, child] : sorted) {
      if (!first) out += ',';
      first = false;
      out += json::serialize(json::string(key));
      out += ':';
      write_canonical(*child, out);
    }
    out += '}';
  } else if (const auto* array = value.if_array()) {
    out += '[';
    bool first = true;
    for (const auto& item : *array) {
      if (!first) out += ',';
      first = false;
      write_canonical(item, out);
    }
    out += ']';
  } else {
    out += json::serialize(value);
  }
}

std::string_view kind_name(const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      return "null";
    case json::kind::bool_:
      return "a boolean";
    case json::kind::int64:
    case json::kind::uint64:
    case json::kind::double_:
      return "a number";
    case json::kind::string:
      return "a string";
    case json::kind::array:
      return "an array";
    case json::kind::object:
      return "an object";
  }
  return "a value";
}

}  // namespace

Result<json::value> parse_json(std::string_view text, std::string_view what, JsonLimits limits) {
  if (text.size() > limits.size_bytes) {
    return fail(Code::kTooLarge, fmt::format("{}: {} bytes, at most {} are accepted", what,
                                             text.size(), limits.size_bytes));
  }
  json::parse_options options;
  options.max_depth = limits.depth;
  std::array<unsigned char, kParserStackBytes> stack;
  json::basic_parser<JsonBuilder> parser(options, limits.members, stack.data(), stack.size());
  json::error_code error;
  const size_t parsed = parser.write_some(false, text.data(), text.size(), error);
  if (error == json::error::object_too_large) {
    return fail(Code::kInvalid,
                fmt::format("{}: the object around byte {} has more than {} members", what, parsed,
                            limits.members));
  }
  if (error) {
    const std::string why = error.message();
    return fail(Code::kInvalid, fmt::format("{}: not JSON at byte {}: {}", what, parsed, why));
  }
  const auto rest = text.substr(parsed).find_first_not_of(" \t\r\n");
  if (rest != std::string_view::npos) {
    return fail(Code::kInvalid,
                fmt::format("{}: text behind the JSON value at byte {}", what, parsed + rest));
  }
  JsonBuilder& builder = parser.handler();
  json::value value = builder.release();
  // Boost.JSON keeps the last of two equal members and says nothing.
  if (count_members(value) != builder.members()) {
    return fail(Code::kInvalid,
                fmt::format("{}: an object has two members of the same name", what));
  }
  if (builder.has_doubles()) {
    if (const auto exact = make_numbers_exact(value, text); !exact) {
      return fail(Code::kInvalid, fmt::format("{}: {}", what, exact.error().message));
    }
  }
  return value;
}

std::string to_json(const json::value& value) {
  return json::serialize(value);
}

std::string to_canonical_json(const json::value& value) {
  std::string out;
  write_canonical(value, out);
  return out;
}

Result<const json::value*> find_pointer(const json::value& root, std::string_view pointer) {
  boost::system::error_code error;
  const json::value* found = root.find_pointer(pointer, error);
  if (found != nullptr) return found;
  if (!pointer.empty() && pointer.front() != '/') {
    return fail(Code::kInvalid,
                fmt::format("'{}' is not a JSON pointer: begin it with '/'", pointer));
  }
  return nullptr;
}

ObjectReader::ObjectReader(const json::value& value, std::string where)
    : object_(value.if_object()), where_(std::move(where)) {
  if (object_ == nullptr) {
    error_ = Error{Code::kInvalid,
                   fmt::format("{}: expected an object, got {}", where_, kind_name(value))};
  }
}

bool ObjectReader::has(std::string_view name) const {
  return object_ != nullptr && object_->if_contains(name) != nullptr;
}

void ObjectReader::fail_at(std::string_view name, std::string_view what) {
  if (!error_) error_ = Error{Code::kInvalid, fmt::format("{}.{}: {}", where_, name, what)};
}

void ObjectReader::wrong_type(std::string_view name, std::string_view expected,
                              const json::value& got) {
  fail_at(name, fmt::format("expected {}, got {}", expected, kind_name(got)));
}

const json::value* ObjectReader::take(std::string_view name) {
  known_.emplace_back(name);
  if (error_) return nullptr;
  return object_->if_contains(name);
}

const json::value* ObjectReader::require(std::string_view name) {
  const json::value* found = take(name);
  if (found != nullptr || error_) return found;
  // A misspelt member is more likely than one that was forgotten.
  const std::vector<std::string> wanted{std::string(name)};
  for (const auto& member : *object_) {
    if (!nearest_word(member.key(), wanted)) continue;
    fail_at(name, fmt::format("is missing; is '{}' meant?", std::string(member.key())));
    return nullptr;
  }
  fail_at(name, "is missing");
  return nullptr;
}

const json::value* ObjectReader::value(std::string_view name) {
  return take(name);
}

std::string ObjectReader::string(std::string_view name) {
  const json::value* found = require(name);
  if (found == nullptr) return {};
  if (!found->is_string()) {
    wrong_type(name, "a string", *found);
    return {};
  }
  return std::string(found->get_string());
}

std::string ObjectReader::string(std::string_view name, std::string fallback) {
  if (has(name)) return string(name);
  known_.emplace_back(name);
  return fallback;
}

int64_t ObjectReader::integer(std::string_view name, int64_t min, int64_t max) {
  const json::value* found = require(name);
  if (found == nullptr) return min;
  boost::system::error_code error;
  const int64_t number = found->to_number<int64_t>(error);
  if (!found->is_number() || error) {
    wrong_type(name, "a whole number", *found);
    return min;
  }
  if (number < min || number > max) {
    fail_at(name, fmt::format("{} is outside {} to {}", number, min, max));
    return min;
  }
  return number;
}

int64_t ObjectReader::integer(std::string_view name, int64_t min, int64_t max, int64_t fallback) {
  if (has(name)) return integer(name, min, max);
  known_.emplace_back(name);
  return fallback;
}

double ObjectReader::number(std::string_view name, double min, double max, double fallback) {
  const json::value* found = take(name);
  if (found == nullptr) return fallback;
  if (!found->is_number()) {
    wrong_type(name, "a number", *found);
    return fallback;
  }
  const double number = found->to_number<double>();
  if (!(number >= min && number <= max)) {
    fail_at(name, fmt::format("{} is outside {} to {}", number, min, max));
    return fallback;
  }
  return number;
}

bool ObjectReader::boolean(std::string_view name, bool fallback) {
  const json::value* found = take(name);
  if (found == nullptr) return fallback;
  if (!found->is_bool()) {
    wrong_type(name, "true or false", *found);
    return fallback;
  }
  return found->get_bool();
}

int64_t ObjectReader::duration_ms(std::string_view name, int64_t fallback_ms) {
  const json::value* found = take(name);
  if (found == nullptr) return fallback_ms;
  std::optional<int64_t> ms;
  if (found->is_string()) {
    ms = parse_duration_ms(found->get_string());
  } else if (found->is_number()) {
    const double seconds = found->to_number<double>();
    if (seconds >= 0 && seconds <= kWaitMaxMs / 1000) ms = static_cast<int64_t>(seconds * 1000);
  }
  if (!ms)
    fail_at(name,
            "expected a duration such as \"250ms\", \"30s\", \"5m\", \"24h\", \"7d\" or seconds");
  return ms.value_or(fallback_ms);
}

size_t ObjectReader::choice(std::string_view name, std::initializer_list<std::string_view> words,
                            size_t fallback) {
  const json::value* found = take(name);
  if (found == nullptr) return fallback;
  std::string known;
  for (size_t i = 0; i < words.size(); ++i) {
    const std::string_view word = words.begin()[i];
    if (found->is_string() && std::string_view(found->get_string()) == word) return i;
    known += fmt::format("{}\"{}\"", i == 0 ? "" : ", ", word);
  }
  fail_at(name, "expected one of " + known);
  return fallback;
}

const json::object* ObjectReader::object(std::string_view name) {
  const json::value* found = take(name);
  if (found == nullptr) return nullptr;
  if (!found->is_object()) wrong_type(name, "an object", *found);
  return found->if_object();
}

const json::array* ObjectReader::array(std::string_view name) {
  const json::value* found = take(name);
  if (found == nullptr) return nullptr;
  if (!found->is_array()) wrong_type(name, "an array", *found);
  return found->if_array();
}

std::vector<std::string> ObjectReader::strings(std::string_view name,
                                               std::vector<std::string> fallback) {
  const json::array* items = array(name);
  if (items == nullptr) return fallback;
  std::vector<std::string> out;
  for (const json::value& item : *items) {
    if (!item.is_string()) {
      fail_at(name, "expected strings");
      return fallback;
    }
    out.emplace_back(item.get_string());
  }
  return out;
}

std::vector<std::pair<std::string, std::string>> ObjectReader::string_pairs(std::string_view name) {
  std::vector<std::pair<std::string, std::string>> out;
  const json::object* table = object(name);
  if (table == nullptr) return out;
  for (const auto& [key, value] : *table) {
    if (!value.is_string()) {
      fail_at(name, "its values are strings");
      return {};
    }
    out.emplace_back(key, value.get_string());
  }
  return out;
}

Status ObjectReader::finish() {
  if (!error_) {
    for (const auto& member : *object_) {
      const std::string name(member.key());
      if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
      fail_at(name, "unknown" + did_you_mean(name, known_));
      break;
    }
  }
  if (error_) return tl::unexpected(*error_);
  return {};
}

std::optional<int64_t> parse_duration_ms(std::string_view text) {
  const size_t digits = text.find_first_not_of("0123456789");
  const auto count = parse_u64(text.substr(0, digits));
  constexpr uint64_t kLongest = kWaitMaxMs;
  if (!count || *count > kLongest) return std::nullopt;
  const std::string_view unit = digits == std::string_view::npos ? "s" : text.substr(digits);
  static const std::map<std::string_view, uint64_t> kUnits = {
      {"ms", 1}, {"s", 1000}, {"m", 60'000}, {"h", 3'600'000}, {"d", 86'400'000}};
  const auto found = kUnits.find(unit);
  if (found == kUnits.end() || *count > kLongest / found->second) return std::nullopt;
  return static_cast<int64_t>(*count * found->second);
}

}  // namespace perdure
