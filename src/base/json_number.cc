#include "base/json_number.h"

#include <fmt/core.h>

#include <charconv>
#include <cmath>
#include <vector>

namespace perdure {
namespace {

namespace json = boost::json;

// The numbers of a text that is known to be JSON, in order.
class NumberTokens {
 public:
  explicit NumberTokens(std::string_view text) : text_(text) {}

  std::string_view next() {
    bool in_string = false;
    for (; at_ < text_.size(); ++at_) {
      const char c = text_[at_];
      if (in_string) {
        if (c == '\\') {
          ++at_;
        } else if (c == '"') {
          in_string = false;
        }
      } else if (c == '"') {
        in_string = true;
      } else if (c == '-' || (c >= '0' && c <= '9')) {
        return take();
      }
    }
    return {};
  }

 private:
  std::string_view take() {
    const size_t end = std::min(text_.find_first_not_of("0123456789+-.eE", at_), text_.size());
    const std::string_view token = text_.substr(at_, end - at_);
    at_ = end;
    return token;
  }

  std::string_view text_;
  size_t at_ = 0;
};

Status read_double(std::string_view token, double& number) {
  double exact = 0;
  const auto [end, error] = std::from_chars(token.data(), token.data() + token.size(), exact);
  if (error == std::errc{} && end == token.data() + token.size() && std::isfinite(exact)) {
    number = exact;
    return {};
  }
  // Too small is zero; too large is nothing that could be written again.
  if (std::abs(number) < 1) {
    number = std::copysign(0.0, number);
    return {};
  }
  return fail(Code::kInvalid,
              fmt::format("the number {} is beyond the range of a double", token.substr(0, 40)));
}

}  // namespace

Status make_numbers_exact(json::value& value, std::string_view text) {
  NumberTokens tokens(text);
  std::vector<json::value*> open{&value};
  while (!open.empty()) {
    json::value* top = open.back();
    open.pop_back();
    if (auto* object = top->if_object()) {
      for (auto member = object->end(); member != object->begin();) {
        open.push_back(&(--member)->value());
      }
    } else if (auto* array = top->if_array()) {
      for (auto item = array->end(); item != array->begin();) open.push_back(--item);
    } else if (top->is_number()) {
      const std::string_view token = tokens.next();
      if (double* number = top->if_double()) TRY_STATUS(read_double(token, *number));
    }
  }
  return {};
}

}  // namespace perdure
