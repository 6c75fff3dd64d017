#include "base/json_text.h"

#include <fmt/format.h>

#include <iterator>

namespace perdure {
namespace {

void append_escape(std::string& out, char c) {
  switch (c) {
    case '"':
      out += "\\\"";
      return;
    case '\\':
      out += "\\\\";
      return;
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      fmt::format_to(std::back_inserter(out), "\\u{:04x}", static_cast<unsigned>(c));
  }
}

// The shortest text that reads back as the same number, and as a floating one: 3.0 is not 3 to a
// planner that sends it back.
void append_double(std::string& out, double value) {
  const size_t from = out.size();
  fmt::format_to(std::back_inserter(out), "{}", value);
  if (out.find_first_of(".e", from) == std::string::npos) out += ".0";
}

bool is_plain(char c) {
  return static_cast<unsigned char>(c) >= 0x20 && c != '"' && c != '\\';
}

void append_object(std::string& out, const json::object& object) {
  char before = '{';
  for (const auto& member : object) {
    out += before;
    before = ',';
    append_json_string(out, member.key());
    out += ':';
    append_json(out, member.value());
  }
  out += object.empty() ? "{}" : "}";
}

void append_array(std::string& out, const json::array& array) {
  char before = '[';
  for (const json::value& item : array) {
    out += before;
    before = ',';
    append_json(out, item);
  }
  out += array.empty() ? "[]" : "]";
}

}  // namespace

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  size_t from = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (is_plain(text[i])) continue;
    out.append(text, from, i - from);
    append_escape(out, text[i]);
    from = i + 1;
  }
  out.append(text, from);
  out += '"';
}

void append_json(std::string& out, const json::value& value) {
  switch (value.kind()) {
    case json::kind::null:
      out += "null";
      return;
    case json::kind::bool_:
      out += value.get_bool() ? "true" : "false";
      return;
    case json::kind::int64: {
      const fmt::format_int text(value.get_int64());
      out.append(text.data(), text.size());
      return;
    }
    case json::kind::uint64: {
      const fmt::format_int text(value.get_uint64());
      out.append(text.data(), text.size());
      return;
    }
    case json::kind::double_:
      return append_double(out, value.get_double());
    case json::kind::string:
      return append_json_string(out, value.get_string());
    case json::kind::array:
      return append_array(out, value.get_array());
    case json::kind::object:
      return append_object(out, value.get_object());
  }
}

std::string json_text(const json::value& value) {
  std::string out;
  append_json(out, value);
  return out;
}

}  // namespace perdure
