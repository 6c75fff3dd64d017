#include "server/toml.h"

#include <fmt/core.h>
#include <toml++/toml.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>

namespace perdure::server {
namespace {

json::value to_json_value(const toml::node& node);

json::object to_json_object(const toml::table& table) {
  json::object out;
  for (const auto& [key, value] : table) out[key.str()] = to_json_value(value);
  return out;
}

template <class T>
json::value as_text(const T& value) {
  std::ostringstream out;
  out << value;
  return json::value(out.str());
}

json::value to_json_value(const toml::node& node) {
  switch (node.type()) {
    case toml::node_type::table:
      return to_json_object(*node.as_table());
    case toml::node_type::array: {
      json::array out;
      for (const toml::node& item : *node.as_array()) out.push_back(to_json_value(item));
      return out;
    }
    case toml::node_type::string:
      return json::value(node.as_string()->get());
    case toml::node_type::integer:
      return json::value(node.as_integer()->get());
    case toml::node_type::floating_point:
      return json::value(node.as_floating_point()->get());
    case toml::node_type::boolean:
      return json::value(node.as_boolean()->get());
    case toml::node_type::date:
      return as_text(node.as_date()->get());
    case toml::node_type::time:
      return as_text(node.as_time()->get());
    case toml::node_type::date_time:
      return as_text(node.as_date_time()->get());
    default:
      return nullptr;
  }
}

}  // namespace

Result<std::string> read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  if (!in) {
    return fail(Code::kNotFound, fmt::format("cannot read {}: {}", path, std::strerror(errno)));
  }
  std::ostringstream text;
  text << in.rdbuf();
  if (in.bad()) return fail(Code::kUnavailable, "cannot read " + path);
  return text.str();
}

std::string beside(const std::string& folder, const std::string& path) {
  return std::filesystem::path(path).is_absolute() ? path : folder + "/" + path;
}

std::string absolute_beside(const std::string& folder, const std::string& path) {
  std::error_code ignored;
  const auto whole = std::filesystem::absolute(std::filesystem::path(folder) / path, ignored);
  return whole.lexically_normal().string();
}

Result<json::value> read_agent_toml(const std::string& path) {
  TRY_ASSIGN(json::value file, read_toml(path));
  json::object* table = file.if_object();
  json::value* schema = table == nullptr ? nullptr : table->if_contains("output_schema");
  if (schema == nullptr || !schema->is_string()) return file;
  const std::string folder = std::filesystem::path(path).parent_path().string();
  const std::string name = beside(folder.empty() ? "." : folder, std::string(schema->get_string()));
  TRY_ASSIGN(const std::string text, read_file(name));
  TRY_ASSIGN(*schema, parse_json(text, name));
  return file;
}

Result<json::value> read_toml(const std::string& path) {
  TRY_ASSIGN(const std::string text, read_file(path));
  try {
    return json::value(to_json_object(toml::parse(text, path)));
  } catch (const toml::parse_error& error) {
    const toml::source_position at = error.source().begin;
    return fail(Code::kInvalid,
                fmt::format("{}:{}:{}: {}", path, at.line, at.column, error.description()));
  }
}

}  // namespace perdure::server
