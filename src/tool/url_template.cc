#include "tool/url_template.h"

#include <fmt/core.h>

#include <algorithm>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <optional>

#include "base/percent.h"

namespace perdure {
namespace {

// Where the path begins, behind scheme, host and port.
size_t path_start(std::string_view url) {
  const size_t slashes = url.find("://");
  if (slashes == std::string_view::npos) return 0;
  return std::min(url.find_first_of("/?#", slashes + 3), url.size());
}

// Text for one value in a URL; nothing if it is a container or null.
std::optional<std::string> scalar_text(const json::value& value) {
  if (const auto* text = value.if_string()) return std::string(*text);
  if (value.is_double()) return fmt::format("{}", value.get_double());
  if (value.is_number() || value.is_bool()) return to_json(value);
  return std::nullopt;
}

// Calls `on_text` and `on_name` in turn; false if a brace has no partner.
template <class OnText, class OnName>
bool split(std::string_view rest, OnText on_text, OnName on_name) {
  while (true) {
    const size_t open = rest.find('{');
    if (rest.substr(0, open).find('}') != std::string_view::npos) return false;
    on_text(rest.substr(0, open));
    if (open == std::string_view::npos) return true;
    const size_t close = rest.find('}', open);
    if (close == std::string_view::npos || close == open + 1) return false;
    on_name(rest.substr(open + 1, close - open - 1));
    rest.remove_prefix(close + 1);
  }
}

bool is_dots(std::string_view segment) {
  std::string plain;
  for (size_t i = 0; i < segment.size(); ++i) {
    const bool encoded_dot = segment.substr(i, 3) == "%2E" || segment.substr(i, 3) == "%2e";
    plain += encoded_dot ? '.' : segment[i];
    if (encoded_dot) i += 2;
  }
  return plain == "." || plain == "..";
}

bool has_dot_segment(std::string_view path) {
  path = path.substr(0, path.find_first_of("?#"));
  while (true) {
    const size_t slash = path.find('/');
    if (is_dots(path.substr(0, slash))) return true;
    if (slash == std::string_view::npos) return false;
    path.remove_prefix(slash + 1);
  }
}

Error about(std::string_view name, std::string_view what) {
  return {Code::kInvalid, fmt::format("the argument '{}' {}", name, what)};
}

Result<std::string> value_in_url(const json::object& args, std::string_view name, bool in_path) {
  const json::value* value = args.if_contains(name);
  if (value == nullptr) return tl::unexpected(about(name, "is missing"));
  const auto text = scalar_text(*value);
  if (!text) return tl::unexpected(about(name, "must be a string, a number or a boolean"));
  if (in_path && text->empty()) return tl::unexpected(about(name, "must not be empty"));
  return percent_encode(*text);
}

// The origin of a URL that parses; nothing otherwise.
std::optional<std::string> origin_of(std::string_view url) {
  const auto parsed = boost::urls::parse_uri(url);
  if (!parsed || parsed->has_userinfo()) return std::nullopt;
  return std::string(parsed->encoded_origin());
}

std::set<std::string, std::less<>> parameter_names(std::string_view url) {
  std::set<std::string, std::less<>> names;
  if (const auto parsed = boost::urls::parse_uri(url)) {
    for (const auto& parameter : parsed->params()) names.insert(parameter.key);
  }
  return names;
}

}  // namespace

Status check_url_template(std::string_view url) {
  if (!url.starts_with("http://") && !url.starts_with("https://")) {
    return fail(Code::kInvalid, "must begin with http:// or https://");
  }
  if (url.substr(0, path_start(url)).find_first_of("{}") != std::string_view::npos) {
    return fail(Code::kInvalid, "an argument may stand in the path and in the query only");
  }
  if (url.find('#') != std::string_view::npos) return fail(Code::kInvalid, "has a fragment");
  std::string sample;
  const bool braces = split(
      url, [&](std::string_view text) { sample += text; },
      [&](std::string_view) { sample += 'x'; });
  if (!braces) return fail(Code::kInvalid, "has a brace without its partner");
  if (!origin_of(sample)) return fail(Code::kInvalid, "is not a URL without user and password");
  return {};
}

Result<ExpandedUrl> expand_url(std::string_view url, const json::object& args) {
  ExpandedUrl expanded;
  std::optional<Error> error;
  const size_t start = path_start(url);
  expanded.url = url.substr(0, start);
  bool in_path = true;
  split(
      url.substr(start),
      [&](std::string_view text) {
        in_path = in_path && text.find('?') == std::string_view::npos;
        expanded.url += text;
      },
      [&](std::string_view name) {
        auto value = value_in_url(args, name, in_path);
        if (!value) {
          if (!error) error = value.error();
          return;
        }
        expanded.url += *value;
        expanded.used.emplace(name);
      });
  if (error) return tl::unexpected(*error);
  if (!expanded.used.empty() && has_dot_segment(expanded.url.substr(start))) {
    return fail(Code::kInvalid, "an argument must not be a path segment '.' or '..'");
  }
  if (origin_of(expanded.url) != origin_of(url.substr(0, start))) {
    return fail(Code::kInvalid, "the arguments do not give a URL of the configured place");
  }
  return expanded;
}

Result<std::string> with_query(const ExpandedUrl& expanded, const json::object& args) {
  std::string url = expanded.url;
  const auto fixed = parameter_names(url);
  char separator = url.find('?') == std::string::npos ? '?' : '&';
  const auto append = [&](std::string_view name, std::string_view value) {
    url += separator + percent_encode(name) + "=" + percent_encode(value);
    separator = '&';
  };
  for (const auto& member : args) {
    const std::string name(member.key());
    if (expanded.used.contains(name) || member.value().is_null()) continue;
    if (fixed.contains(name)) {
      return tl::unexpected(about(name, "is set by the tool's configuration"));
    }
    if (const auto* items = member.value().if_array()) {
      for (const json::value& item : *items) {
        append(name, scalar_text(item).value_or(to_json(item)));
      }
    } else {
      append(name, scalar_text(member.value()).value_or(to_json(member.value())));
    }
  }
  return url;
}

}  // namespace perdure
