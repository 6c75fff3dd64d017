#pragma once
// URLs with {argument} in their path and query. What an argument says never becomes a scheme, a
// host, a port, another path segment, or another query parameter.
#include <set>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/json.h"

namespace perdure {

Status check_url_template(std::string_view url);

struct ExpandedUrl {
  std::string url;
  std::set<std::string, std::less<>> used;  // the arguments that stand in it now
};

// `url` passed check_url_template. Arguments that stand in the URL must be strings, numbers or
// booleans; in the path, neither empty nor "." nor "..".
Result<ExpandedUrl> expand_url(std::string_view url, const json::object& args);

// Appends the arguments that are not in `expanded.used` as query parameters: arrays item by item,
// objects as JSON, null not at all. A parameter that the template has already is refused.
Result<std::string> with_query(const ExpandedUrl& expanded, const json::object& args);

}  // namespace perdure
