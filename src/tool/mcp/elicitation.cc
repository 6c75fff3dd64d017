#include "tool/mcp/elicitation.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/json_fields.h"

namespace perdure::mcp {
namespace {

std::string type_of(const json::value& property) {
  const json::object* object = property.if_object();
  return object == nullptr ? std::string() : std::string(text_in(*object, "type"));
}

bool is_of(std::string_view type, const json::value& value) {
  if (type == "string") return value.is_string();
  if (type == "boolean") return value.is_bool();
  if (type == "number") return value.is_number();
  if (type == "integer") return value.is_int64() || value.is_uint64();
  return type == "array" && value.is_array() &&
         std::all_of(value.get_array().begin(), value.get_array().end(),
                     [](const json::value& item) { return item.is_string(); });
}

// `enum`, or the titled form: `oneOf` (of a string) and `anyOf` (of items) with `const`.
bool is_among(const json::object& property, const json::value& value) {
  if (const json::array* words = array_in(property, "enum")) {
    return std::find(words->begin(), words->end(), value) != words->end();
  }
  for (const char* form : {"oneOf", "anyOf"}) {
    const json::array* choices = array_in(property, form);
    if (choices == nullptr) continue;
    return std::any_of(choices->begin(), choices->end(), [&](const json::value& choice) {
      const json::object* titled = choice.if_object();
      const json::value* word = titled == nullptr ? nullptr : titled->if_contains("const");
      return word != nullptr && *word == value;
    });
  }
  return true;
}

bool fits(const json::value& property, const json::value& value) {
  const std::string type = type_of(property);
  if (!is_of(type, value)) return false;  // nor is a property without a type
  if (type != "array") return is_among(property.get_object(), value);
  const json::object* items = object_in(property.get_object(), "items");
  if (items == nullptr) return true;
  return std::all_of(value.get_array().begin(), value.get_array().end(),
                     [&](const json::value& item) { return is_among(*items, item); });
}

Status check_required(const json::object& schema, const json::object& filled) {
  const json::array* required = array_in(schema, "required");
  if (required == nullptr) return {};
  for (const json::value& name : *required) {
    if (!name.is_string() || filled.contains(name.get_string())) continue;
    return fail(Code::kInvalid, fmt::format("'{}' is missing", std::string(name.get_string())));
  }
  return {};
}

}  // namespace

Result<Question> read_question(const json::object& params) {
  const json::value* mode = params.if_contains("mode");
  if (mode != nullptr && *mode != "form") {
    return fail(Code::kUnsupported, "only the mode \"form\" is supported");
  }
  const json::value* message = params.if_contains("message");
  const json::value* schema = params.if_contains("requestedSchema");
  if (message == nullptr || !message->is_string()) {
    return fail(Code::kInvalid, "message: is missing");
  }
  if (schema == nullptr || !schema->is_object()) {
    return fail(Code::kInvalid, "requestedSchema: is missing");
  }
  Question question{std::string(message->get_string()), schema->get_object()};
  if (question.message.size() > kFormMaxBytes || to_json(question.schema).size() > kFormMaxBytes) {
    return fail(Code::kTooLarge, fmt::format("a question has at most {} bytes", kFormMaxBytes));
  }
  const json::object* properties = object_in(question.schema, "properties");
  if (properties == nullptr || properties->size() > kQuestionFieldsMax) {
    return fail(Code::kInvalid,
                fmt::format("requestedSchema: expected at most {} properties", kQuestionFieldsMax));
  }
  for (const auto& [name, property] : *properties) {
    const std::string type = type_of(property);
    if (type != "string" && type != "number" && type != "integer" && type != "boolean" &&
        type != "array") {
      return fail(Code::kInvalid, fmt::format("requestedSchema: '{}' is not of a primitive type",
                                              std::string(name)));
    }
  }
  return question;
}

Result<json::object> complete_answer(const json::object& schema, json::object filled) {
  const json::object* properties = object_in(schema, "properties");
  if (properties == nullptr) return fail(Code::kInvalid, "the question has no properties");
  for (const auto& [name, value] : filled) {
    const json::value* property = properties->if_contains(name);
    if (property == nullptr) {
      return fail(Code::kInvalid, fmt::format("'{}' was not asked for", std::string(name)));
    }
    if (!fits(*property, value)) {
      return fail(Code::kInvalid, fmt::format("'{}' is not a value that was asked for ({})",
                                              std::string(name), type_of(*property)));
    }
  }
  for (const auto& [name, property] : *properties) {
    if (filled.contains(name)) continue;
    const json::object* object = property.if_object();
    const json::value* fallback = object == nullptr ? nullptr : object->if_contains("default");
    if (fallback != nullptr && fits(property, *fallback)) filled[name] = *fallback;
  }
  TRY_STATUS(check_required(schema, filled));
  return filled;
}

}  // namespace perdure::mcp
