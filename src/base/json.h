#pragma once
// The one door to JSON (RFC 8259). Parsing is bounded; reading is strict: an unknown or misspelt
// member is an error that names it, the place, and the nearest known one.
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/value.hpp>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace perdure {

namespace json = boost::json;

struct JsonLimits {
  size_t depth = 64;
  size_t size_bytes = 4u << 20;
  size_t members = SIZE_MAX;  // of one object
};

// `what` begins the error, e.g. "request body". Invalid UTF-8, duplicate members, numbers beyond
// the range of a double, and text behind the value are errors. Depth and members are looked at
// before anything is built. The work grows with the text and no faster, whatever the names are.
Result<json::value> parse_json(std::string_view text, std::string_view what,
                               JsonLimits limits = {});

std::string to_json(const json::value& value);

// Sorted members, no spaces: equal values give equal bytes, and reading them gives the same value
// (RFC 8785, but for numbers: integers are written as such, others as Boost.JSON writes them).
std::string to_canonical_json(const json::value& value);

// RFC 6901. Null if the pointer names nothing; an error if it is not a pointer.
Result<const json::value*> find_pointer(const json::value& root, std::string_view pointer);

// Reads the members of one object. Each getter names the member once; `finish` refuses what nobody
// asked for. The first error is kept and later calls do nothing, so that a reader is a straight
// list of getters.
class ObjectReader {
 public:
  // `where` names the object in errors, e.g. "agents.refunds".
  ObjectReader(const json::value& value, std::string where);

  std::string string(std::string_view name);  // required
  std::string string(std::string_view name, std::string fallback);
  int64_t integer(std::string_view name, int64_t min, int64_t max);
  int64_t integer(std::string_view name, int64_t min, int64_t max, int64_t fallback);
  double number(std::string_view name, double min, double max, double fallback);
  bool boolean(std::string_view name, bool fallback);
  // "250ms", "30s", "5m", "24h", "7d", or a number of seconds; in ms.
  int64_t duration_ms(std::string_view name, int64_t fallback_ms);
  // One of the words; the index into them.
  size_t choice(std::string_view name, std::initializer_list<std::string_view> words,
                size_t fallback);
  std::vector<std::string> strings(std::string_view name, std::vector<std::string> fallback = {});
  // A table of strings, in the order of the file.
  std::vector<std::pair<std::string, std::string>> string_pairs(std::string_view name);
  // Null when absent.
  const json::value* value(std::string_view name);
  const json::object* object(std::string_view name);
  const json::array* array(std::string_view name);

  bool has(std::string_view name) const;
  const std::string& where() const { return where_; }
  bool ok() const { return !error_; }
  void fail_at(std::string_view name, std::string_view what);
  Status finish();

 private:
  const json::value* take(std::string_view name);
  const json::value* require(std::string_view name);
  void wrong_type(std::string_view name, std::string_view expected, const json::value& got);

  const json::object* object_ = nullptr;
  std::string where_;
  std::vector<std::string> known_;
  std::optional<Error> error_;
};

// "24h" and the like, or a whole number of seconds; nothing if it is neither.
std::optional<int64_t> parse_duration_ms(std::string_view text);

}  // namespace perdure
