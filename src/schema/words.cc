#include "schema/words.h"

#include <fmt/core.h>

#include "base/text.h"
#include "schema/node.h"

namespace perdure::schema {
namespace {

constexpr size_t kListed = 10;
constexpr size_t kSmallValues = 20;

std::string counted(size_t count, std::string_view noun) {
  return fmt::format("{} {}{}", count, noun, count == 1 ? "" : "s");
}

// Writing out a large value only to cut it would take its whole size.
bool is_small(const json::value& value) {
  std::vector<const json::value*> open{&value};
  for (size_t values = 0; !open.empty(); ++values) {
    const json::value* top = open.back();
    open.pop_back();
    if (values + open.size() > kSmallValues) return false;
    if (const auto* object = top->if_object()) {
      if (object->size() > kSmallValues) return false;
      for (const auto& member : *object) open.push_back(&member.value());
    } else if (const auto* array = top->if_array()) {
      if (array->size() > kSmallValues) return false;
      for (const auto& item : *array) open.push_back(&item);
    }
  }
  return true;
}

}  // namespace

std::string quoted(std::string_view text, size_t max_bytes) {
  const std::string_view begin = beginning(text, max_bytes);
  std::string out = to_json(json::value(json::string(begin)));
  if (begin.size() < text.size()) out += "...";
  return out;
}

std::string shown(const json::value& value, size_t max_bytes) {
  if (const auto* text = value.if_string()) return quoted(*text, max_bytes);
  if (const auto* real = value.if_double()) return fmt::format("{}", *real);
  if (const auto* object = value.if_object(); object != nullptr && !is_small(value)) {
    return fmt::format("an object of {}", counted(object->size(), "member"));
  }
  if (const auto* array = value.if_array(); array != nullptr && !is_small(value)) {
    return fmt::format("an array of {}", counted(array->size(), "item"));
  }
  const std::string text = to_json(value);
  const std::string_view begin = beginning(text, max_bytes);
  return begin.size() < text.size() ? std::string(begin) + "..." : text;
}

std::string found_in_words(const json::value& value) {
  if (value.is_null()) return "null";
  if (value.is_bool()) return value.get_bool() ? "true" : "false";
  if (value.is_number()) return "the number " + shown(value);
  if (const auto* text = value.if_string()) return "the string " + quoted(*text);
  if (const auto* array = value.if_array()) {
    return array->empty() ? "an empty array"
                          : fmt::format("an array of {}", counted(array->size(), "item"));
  }
  const json::object& object = value.get_object();
  return object.empty() ? "an empty object" : fmt::format("the object {}", shown(value));
}

std::string types_in_words(uint8_t types) {
  std::string out;
  const auto add = [&](uint8_t bit, std::string_view words) {
    if ((types & bit) == 0) return;
    if (!out.empty()) out += " or ";
    out += words;
  };
  add(kObject, "an object");
  add(kArray, "an array");
  add(kString, "a string");
  if ((types & kNumber) != 0) {
    add(kNumber, "a number");
  } else {
    add(kInteger, "a whole number");
  }
  add(kBoolean, "true or false");
  add(kNull, "null");
  return out;
}

std::string one_of_in_words(const json::array& values) {
  if (values.empty()) return "nothing: no value is allowed";
  std::string out = values.size() == 1 ? "" : "one of ";
  for (size_t i = 0; i < values.size(); ++i) {
    if (i == kListed) return fmt::format("{} and {} more", out, values.size() - i);
    if (i > 0) out += ", ";
    out += shown(values[i], 40);
  }
  return out;
}

std::string names_in_words(const std::vector<std::string>& names) {
  std::string out;
  for (size_t i = 0; i < names.size(); ++i) {
    if (i == kListed) return fmt::format("{} and {} more", out, names.size() - i);
    if (i > 0) out += ", ";
    out += quoted(names[i], 40);
  }
  return out;
}

}  // namespace perdure::schema
