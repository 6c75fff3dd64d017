#include "script/names.h"

#include <fmt/core.h>

#include "base/text.h"

namespace perdure::script {

std::optional<std::pair<std::string_view, uint64_t>> split_iteration(std::string_view name) {
  const size_t slash = name.rfind('/');
  if (slash == std::string_view::npos) return std::nullopt;
  const std::string_view digits = name.substr(slash + 1);
  const auto iteration = parse_u64(digits);
  if (!iteration || (digits.size() > 1 && digits.front() == '0')) return std::nullopt;
  return std::pair(name.substr(0, slash), *iteration);
}

Status Names::define(const std::string& name, size_t repeat, int64_t count,
                     const std::string& where) {
  const bool inside = repeat != SIZE_MAX;
  const size_t longest = name.size() + (inside ? 1 + std::to_string(count - 1).size() : 0);
  if (name.empty() || longest > kNameMaxBytes) {
    return fail(Code::kInvalid,
                fmt::format("{}: {} bytes, expected 1 to {}", where, longest, kNameMaxBytes));
  }
  const auto again = [&](const std::string& first) {
    return fail(Code::kInvalid,
                fmt::format("{}: the {} '{}' is defined at {} already", where, kind_, name, first));
  };
  if (inside) {
    const auto [found, added] = inside_.try_emplace(name, Local{repeat, count, where});
    if (!added) return again(found->second.where);
  } else {
    const auto [found, added] = outside_.try_emplace(name, where);
    if (!added) return again(found->second);
  }
  return {};
}

const Names::Local* Names::iteration(std::string_view full) const {
  const auto split = split_iteration(full);
  if (!split) return nullptr;
  const auto found = inside_.find(split->first);
  if (found == inside_.end()) return nullptr;
  return split->second < static_cast<uint64_t>(found->second.count) ? &found->second : nullptr;
}

Status Names::check() const {
  for (const auto& [name, where] : outside_) {
    if (const Local* local = iteration(name)) {
      return fail(Code::kInvalid, fmt::format("{}: the {} '{}' is also made by {}", where, kind_,
                                              name, local->where));
    }
  }
  return {};
}

Result<Name> Names::resolve(const std::string& name, size_t repeat,
                            const std::string& where) const {
  const auto local = inside_.find(name);
  if (repeat != SIZE_MAX && local != inside_.end() && local->second.repeat == repeat) {
    return Name{name, true};
  }
  if (outside_.contains(name) || iteration(name) != nullptr) return Name{name, false};
  std::vector<std::string> known;
  for (const auto& [one, place] : outside_) known.push_back(one);
  for (const auto& [one, in] : inside_) known.push_back(in.repeat == repeat ? one : one + "/0");
  return fail(Code::kInvalid, fmt::format("{}: the script has no {} '{}'{}", where, kind_,
                                          name.substr(0, 200), did_you_mean(name, known)));
}

}  // namespace perdure::script
