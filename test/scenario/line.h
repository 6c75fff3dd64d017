#pragma once
// One line of a scenario, read word by word. What cannot be read throws Failed, which names the
// place.
#include <cstdint>
#include <stdexcept>
#include <string>
#include <string_view>

#include "base/json.h"

namespace perdure::scenario {

// A scenario that cannot be read, or whose expectation does not hold.
struct Failed : std::runtime_error {
  using std::runtime_error::runtime_error;
};

class Line {
 public:
  Line(std::string place, std::string text);

  bool ends();
  bool peeks_digit();
  // True, and the word is taken, if it comes next.
  bool take(std::string_view word);
  void need(std::string_view word);
  std::string word();
  std::string quoted();  // "a text", with JSON's escapes
  json::value value();   // any JSON value
  int64_t number();
  int64_t duration_ms();  // "3 days", "2h", "90s", "20 ms"
  std::string rest();
  void end();  // nothing may follow

  [[noreturn]] void fail(const std::string& why) const;
  const std::string& text() const { return text_; }

 private:
  void skip_spaces();

  std::string place_;  // "file:line"
  std::string text_;
  size_t at_ = 0;
};

}  // namespace perdure::scenario
