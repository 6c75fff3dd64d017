#pragma once
// A request target: path segments and query parameters.
#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace perdure::api {

// Views into the target: it must outlive them. "/v1/tasks" has the segments "v1" and "tasks".
struct Path {
  static constexpr size_t kSegmentsMax = 5;
  std::array<std::string_view, kSegmentsMax> segments;
  size_t count = 0;
  std::string_view query;  // without '?'
};

// Nothing if it is not a path of ours: not absolute, too many or empty segments.
std::optional<Path> split_target(std::string_view target);

// Reads query parameters as ObjectReader reads members: each getter names one, `finish` refuses
// what nobody asked for. The first error is kept.
class QueryReader {
 public:
  explicit QueryReader(std::string_view query);

  std::optional<std::string> text(std::string_view name);
  uint64_t number(std::string_view name, uint64_t min, uint64_t max, uint64_t fallback);
  // "limit": how many items a page of a list has at most.
  uint64_t page_limit() { return number("limit", 1, 200, 50); }
  bool boolean(std::string_view name);  // absent: false
  // All that begin so, without their beginning.
  std::vector<std::pair<std::string, std::string>> with_prefix(std::string_view prefix);
  void fail_at(std::string_view name, std::string_view what);
  Status finish();

 private:
  std::vector<std::pair<std::string, std::string>> given_;
  std::vector<std::string> known_;
  std::optional<Error> error_;
};

}  // namespace perdure::api
