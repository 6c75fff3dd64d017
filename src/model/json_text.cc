#include "model/json_text.h"

#include "base/json.h"
#include "base/text.h"

namespace perdure {
namespace {

constexpr std::string_view kReplacement = "\xEF\xBF\xBD";

// Bytes of the well-formed character at the front; 0 if there is none.
size_t character_bytes(std::string_view text) {
  for (size_t size = 1; size <= 4 && size <= text.size(); ++size) {
    if (is_valid_utf8(text.substr(0, size))) return size;
  }
  return 0;
}

std::string with_replacements(std::string_view text) {
  std::string out;
  while (!text.empty()) {
    const size_t size = character_bytes(text);
    out += size > 0 ? text.substr(0, size) : kReplacement;
    text.remove_prefix(size > 0 ? size : 1);
  }
  return out;
}

void put_control(std::string& out, unsigned char c) {
  constexpr std::string_view kHex = "0123456789abcdef";
  out += "\\u00";
  out += kHex[c >> 4];
  out += kHex[c & 15];
}

void put_escaped(std::string& out, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '"':
        out += "\\\"";
        break;
      case '\\':
        out += "\\\\";
        break;
      case '\n':
        out += "\\n";
        break;
      case '\r':
        out += "\\r";
        break;
      case '\t':
        out += "\\t";
        break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          put_control(out, static_cast<unsigned char>(c));
        } else {
          out += c;
        }
    }
  }
}

}  // namespace

void put_json_string(std::string& out, std::string_view text) {
  out += '"';
  if (is_valid_utf8(text)) {
    put_escaped(out, text);
  } else {
    put_escaped(out, with_replacements(text));
  }
  out += '"';
}

bool is_blank(std::string_view text) {
  return text.find_first_not_of(" \t\r\n\v\f") == std::string_view::npos;
}

void put_json_object(std::string& out, std::string_view arguments) {
  if (is_blank(arguments)) {
    out += "{}";
  } else if (const auto value = parse_json(arguments, "arguments"); value && value->is_object()) {
    out += arguments;
  } else {
    out += R"({"unreadable_arguments":)";
    put_json_string(out, arguments);
    out += '}';
  }
}

}  // namespace perdure
