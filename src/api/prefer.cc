#include "api/prefer.h"

#include <algorithm>

#include "base/text.h"

namespace perdure::api {
namespace {

std::string_view trim(std::string_view text) {
  const size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

}  // namespace

int64_t Preferences::wait_ms(int64_t max_ms) const {
  if (respond_async || !wait_s) return 0;
  return std::min(*wait_s * 1000, max_ms);
}

std::string Preferences::applied() const {
  if (respond_async) return "respond-async";
  return wait_s ? "wait=" + std::to_string(*wait_s) : std::string();
}

Preferences preferences_of(const Request& request) {
  Preferences preferences;
  for (const auto& [name, value] : request.headers) {
    if (name != "prefer") continue;
    for (std::string_view rest = value; !rest.empty();) {
      const size_t comma = std::min(rest.find(','), rest.size());
      const std::string_view one = trim(rest.substr(0, comma).substr(0, rest.find(';')));
      rest.remove_prefix(std::min(comma + 1, rest.size()));
      if (one == "respond-async") preferences.respond_async = true;
      if (!one.starts_with("wait=") || preferences.wait_s) continue;
      std::string_view number = one.substr(5);
      if (number.size() > 2 && number.front() == '"' && number.back() == '"') {
        number = number.substr(1, number.size() - 2);
      }
      if (const auto seconds = parse_u64(number); seconds && *seconds < 1'000'000) {
        preferences.wait_s = static_cast<int64_t>(*seconds);
      }
    }
  }
  return preferences;
}

}  // namespace perdure::api
