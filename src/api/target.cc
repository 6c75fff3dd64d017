#include "api/target.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/percent.h"
#include "base/text.h"

namespace perdure::api {
namespace {

constexpr size_t kParametersMax = 16;

}  // namespace

std::optional<Path> split_target(std::string_view target) {
  Path path;
  const size_t mark = target.find('?');
  if (mark != std::string_view::npos) path.query = target.substr(mark + 1);
  std::string_view rest = target.substr(0, mark);
  if (rest.empty() || rest.front() != '/') return std::nullopt;
  while (rest.size() > 1) {
    rest.remove_prefix(1);
    const size_t end = std::min(rest.find('/'), rest.size());
    if (end == 0 || path.count == Path::kSegmentsMax) return std::nullopt;
    path.segments[path.count++] = rest.substr(0, end);
    rest.remove_prefix(end);
    if (rest == "/") return std::nullopt;
  }
  return path;
}

QueryReader::QueryReader(std::string_view query) {
  while (!query.empty()) {
    const size_t end = std::min(query.find('&'), query.size());
    const std::string_view pair = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (pair.empty()) continue;
    const size_t equals = std::min(pair.find('='), pair.size());
    auto name = percent_decode(pair.substr(0, equals), true);
    auto value = percent_decode(pair.substr(std::min(equals + 1, pair.size())), true);
    if (!name || !value || given_.size() == kParametersMax) {
      error_ = Error{Code::kInvalid, "query: cannot be read"};
      return;
    }
    given_.emplace_back(std::move(*name), std::move(*value));
  }
}

void QueryReader::fail_at(std::string_view name, std::string_view what) {
  if (!error_) error_ = Error{Code::kInvalid, fmt::format("query.{}: {}", name, what)};
}

std::optional<std::string> QueryReader::text(std::string_view name) {
  known_.emplace_back(name);
  std::optional<std::string> found;
  for (const auto& [key, value] : given_) {
    if (key != name) continue;
    if (found) fail_at(name, "given twice");
    found = value;
  }
  return found;
}

uint64_t QueryReader::number(std::string_view name, uint64_t min, uint64_t max, uint64_t fallback) {
  const auto given = text(name);
  if (!given) return fallback;
  const auto value = parse_u64(*given);
  if (!value || *value < min || *value > max) {
    fail_at(name, fmt::format("expected a whole number from {} to {}", min, max));
    return fallback;
  }
  return *value;
}

bool QueryReader::boolean(std::string_view name) {
  const auto given = text(name);
  if (given && *given != "true" && *given != "false") fail_at(name, "expected true or false");
  return given == "true";
}

std::vector<std::pair<std::string, std::string>> QueryReader::with_prefix(std::string_view prefix) {
  std::vector<std::pair<std::string, std::string>> found;
  for (const auto& [key, value] : given_) {
    if (!key.starts_with(prefix)) continue;
    known_.push_back(key);
    found.emplace_back(key.substr(prefix.size()), value);
  }
  return found;
}

Status QueryReader::finish() {
  for (const auto& [name, value] : given_) {
    if (std::find(known_.begin(), known_.end(), name) != known_.end()) continue;
    fail_at(name, "unknown" + did_you_mean(name, known_));
  }
  if (error_) return tl::unexpected(*error_);
  return {};
}

}  // namespace perdure::api
