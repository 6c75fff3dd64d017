#include "tool/call_place.h"

#include <algorithm>

#include "base/json.h"
#include "base/percent.h"
#include "base/text.h"
#include "tool/url_template.h"

namespace perdure {
namespace {

constexpr std::string_view kMasked = "***";
constexpr size_t kCredentialMinBytes = 16;
constexpr size_t kValueMaxBytes = 200;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

bool is_argument(std::string_view text) {
  return text.starts_with('{') && text.find('}') == text.size() - 1;
}

// Long, and no word: the path of a webhook is often all that protects it.
bool looks_secret(std::string_view segment) {
  return segment.size() >= kCredentialMinBytes && segment.find('{') == std::string_view::npos &&
         std::any_of(segment.begin(), segment.end(), is_digit);
}

// `each` gives what stands for a piece of `text` between two `separator`s.
template <class Each>
std::string rejoined(std::string_view text, char separator, const Each& each) {
  std::string out;
  for (;;) {
    const size_t end = text.find(separator);
    out += each(text.substr(0, end));
    if (end == std::string_view::npos) return out;
    out += separator;
    text.remove_prefix(end + 1);
  }
}

std::string shown_segment(std::string_view segment) {
  return std::string(looks_secret(segment) ? kMasked : segment);
}

std::string shown_parameter(std::string_view parameter) {
  const size_t equals = parameter.find('=');
  if (equals == std::string_view::npos) return std::string(kMasked);
  const std::string_view value = parameter.substr(equals + 1);
  const std::string name(parameter.substr(0, equals + 1));
  return name + std::string(is_argument(value) ? value : kMasked);
}

size_t origin_size(std::string_view url) {
  const size_t slashes = url.find("://");
  if (slashes == std::string_view::npos) return 0;
  return std::min(url.find_first_of("/?#", slashes + 3), url.size());
}

std::string text_of(const json::value& value) {
  const std::string text = value.is_string() ? std::string(value.get_string()) : to_json(value);
  return std::string(beginning(text, kValueMaxBytes));
}

// Puts the key and the arguments in the place of their names. In a URL nothing that a model wrote
// becomes more than a value.
std::string filled(std::string_view text, const json::object& args, std::string_view key) {
  std::string out;
  while (!text.empty()) {
    const size_t open = text.find('{');
    out += text.substr(0, open);
    if (open == std::string_view::npos) return out;
    const size_t close = text.find('}', open);
    if (close == std::string_view::npos) return out += text.substr(open);
    const std::string_view name = text.substr(open + 1, close - open - 1);
    const json::value* value = args.if_contains(name);
    const bool in_url = out.find("://", out.find_last_of(" \n") + 1) != std::string::npos;
    if (name == "key") {
      out += key;
    } else if (value != nullptr) {
      out += in_url ? percent_encode(text_of(*value)) : text_of(*value);
    } else {
      out += text.substr(open, close - open + 1);
    }
    text.remove_prefix(close + 1);
  }
  return out;
}

}  // namespace

std::string shown_origin(std::string_view url) {
  const std::string_view origin = url.substr(0, origin_size(url));
  const size_t at = origin.rfind('@');
  if (at == std::string_view::npos) return std::string(origin);
  return std::string(origin.substr(0, origin.find("://") + 3)) + std::string(origin.substr(at + 1));
}

std::string shown_url(std::string_view url) {
  url = url.substr(0, url.find('#'));
  const std::string_view rest = url.substr(origin_size(url));
  const size_t query = std::min(rest.find('?'), rest.size());
  std::string out = shown_origin(url) + rejoined(rest.substr(0, query), '/', shown_segment);
  if (query == rest.size()) return out;
  return out + "?" + rejoined(rest.substr(query + 1), '&', shown_parameter);
}

CallPlace place_of(const ToolEntry& tool, std::string_view args, std::string_view key) {
  const auto parsed = parse_json(args, "arguments");
  const json::object* known = parsed ? parsed->if_object() : nullptr;
  const json::object none;
  const json::object& values = known != nullptr ? *known : none;
  return {filled(tool.to, values, key), tool.key_in, filled(tool.rules.check, values, key)};
}

}  // namespace perdure
