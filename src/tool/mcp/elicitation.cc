#include "tool/mcp/elicitation.h"

#include <fmt/core.h>

#include <algorithm>

namespace perdure::mcp {
namespace {

const json::value* member(const json::object& object, std::string_view name) {
  const auto found = object.find(name);
  return found == object.end() ? nullptr : &found->value();
}

const json::object* properties_of(const json::object& schema) {
  const json::value* properties = member(schema, "properties");
  return properties == nullptr ? nullptr : properties->if_object();
}

std::string type_of(const json::value& property) {
  const json::object* object = property.if_object();
  const json::value* type = object == nullptr ? nullptr : member(*object, "type");
  return type != nullptr && type->is_string() ? std::string(type->get_string()) : "";
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
  if (const json::value* words = member(property, "enum"); words != nullptr && words->is_array()) {
    return std::find(words->get_array().begin(), words->get_array().end(), value) !=
           words->get_array().end();
  }
  for (const char* form : {"oneOf", "anyOf"}) {
    const json::value* choices = member(property, form);
    if (choices == nullptr || !choices->is_array()) continue;
    return std::any_of(
        choices->get_array().begin(), choices->get_array().end(), [&](const json::value& choice) {
          const json::object* titled = choice.if_object();
          const json::value* word = titled == nullptr ? nullptr : member(*titled, "const");
          return word != nullptr && *word == value;
        });
  }
  return true;
}

bool fits(const json::value& property, const json::value& value) {
  const std::string type = type_of(property);
  if (!is_of(type, value)) return false;  // nor is a property without a type
  if (type != "array") return is_among(property.get_object(), value);
  const json::value* items = member(property.get_object(), "items");
  if (items == nullptr || !items->is_object()) return true;
  return std::all_of(value.get_array().begin(), value.get_array().end(),
                     [&](const json::value& item) { return is_among(items->get_object(), item); });
}

Status check_required(const json::object& schema, const json::object& filled) {
  const json::value* required = member(schema, "required");
  if (required == nullptr || !required->is_array()) return {};
  for (const json::value& name : required->get_array()) {
    if (!name.is_string() || filled.contains(name.get_string())) continue;
    return fail(Code::kInvalid, fmt::format("'{}' is missing", std::string(name.get_string())));
  }
  return {};
}

}  // namespace

Result<Question> read_question(const json::object& params) {
  const json::value* mode = member(params, "mode");
  if (mode != nullptr && *mode != "form") {
    return fail(Code::kUnsupported, "only the mode \"form\" is supported");
  }
  const json::value* message = member(params, "message");
  const json::value* schema = member(params, "requestedSchema");
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
  const json::object* properties = properties_of(question.schema);
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
  const json::object* properties = properties_of(schema);
  if (properties == nullptr) return fail(Code::kInvalid, "the question has no properties");
  for (const auto& [name, value] : filled) {
    const json::value* property = member(*properties, name);
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
    const json::value* fallback = object == nullptr ? nullptr : member(*object, "default");
    if (fallback != nullptr && fits(property, *fallback)) filled[name] = *fallback;
  }
  TRY_STATUS(check_required(schema, filled));
  return filled;
}

}  // namespace perdure::mcp
