#include "scenario/line.h"

#include <fmt/core.h>

#include <boost/json.hpp>
#include <map>

namespace perdure::scenario {

Line::Line(std::string place, std::string text)
    : place_(std::move(place)), text_(std::move(text)) {}

void Line::fail(const std::string& why) const {
  throw Failed(fmt::format("{}: {}\n    {}", place_, why, text_));
}

void Line::skip_spaces() {
  while (at_ < text_.size() && text_[at_] == ' ') ++at_;
}

bool Line::ends() {
  skip_spaces();
  return at_ == text_.size();
}

bool Line::peeks_digit() {
  skip_spaces();
  return at_ < text_.size() && text_[at_] >= '0' && text_[at_] <= '9';
}

std::string Line::word() {
  skip_spaces();
  const size_t from = at_;
  while (at_ < text_.size() && text_[at_] != ' ') ++at_;
  if (at_ == from) fail("a word is missing at the end");
  return text_.substr(from, at_ - from);
}

bool Line::take(std::string_view expected) {
  const size_t before = at_;
  if (!ends() && word() == expected) return true;
  at_ = before;
  return false;
}

void Line::need(std::string_view expected) {
  if (!take(expected)) fail(fmt::format("expected '{}' after column {}", expected, at_));
}

json::value Line::value() {
  skip_spaces();
  json::stream_parser parser;
  boost::system::error_code error;
  const size_t size = parser.write_some(text_.data() + at_, text_.size() - at_, error);
  if (!error && !parser.done()) parser.finish(error);
  if (error) fail(fmt::format("no JSON value at column {}: {}", at_, error.message()));
  at_ += size;
  return parser.release();
}

std::string Line::quoted() {
  const json::value found = value();
  if (!found.is_string()) fail("expected a text in quotation marks");
  return std::string(found.get_string());
}

int64_t Line::number() {
  const json::value found = value();
  if (!found.is_int64()) fail("expected a whole number");
  return found.get_int64();
}

int64_t Line::duration_ms() {
  static const std::map<std::string, int64_t, std::less<>> kUnits = {
      {"ms", 1},           {"s", 1'000},         {"second", 1'000},   {"seconds", 1'000},
      {"m", 60'000},       {"minute", 60'000},   {"minutes", 60'000}, {"h", 3'600'000},
      {"hour", 3'600'000}, {"hours", 3'600'000}, {"day", 86'400'000}, {"days", 86'400'000},
      {"d", 86'400'000}};
  std::string text = word();
  const size_t digits = text.find_first_not_of("0123456789");
  std::string unit = digits == std::string::npos ? word() : text.substr(digits);
  const auto found = kUnits.find(unit);
  if (digits == 0 || found == kUnits.end()) fail("expected a duration such as '3 days' or '90s'");
  return std::stoll(text) * found->second;
}

std::string Line::rest() {
  skip_spaces();
  return text_.substr(std::exchange(at_, text_.size()));
}

void Line::end() {
  if (!ends()) fail(fmt::format("'{}' is not understood", rest()));
}

}  // namespace perdure::scenario
