#include "agent/preview.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"

namespace perdure {
namespace {

bool continues_character(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// The first place from `at` on where a character begins.
size_t next_character(std::string_view text, size_t at) {
  while (at < text.size() && continues_character(text[at])) ++at;
  return at;
}

}  // namespace

bool is_too_large(std::string_view result, const InlineRules& rules) {
  return rules.max_bytes != kUnlimited && result.size() > static_cast<uint64_t>(rules.max_bytes);
}

std::string preview_of(std::string_view result, const StepId& call, const InlineRules& rules) {
  const auto shown = static_cast<size_t>(rules.max_bytes);
  const std::string_view head = beginning(result, shown - shown / 4);
  const size_t tail_at = next_character(result, result.size() - shown / 4);
  std::string more = "The rest is kept, and you cannot read it.";
  if (rules.can_read_more) {
    more = fmt::format("Read the rest with read_result {{\"call\":\"{}\",\"offset\":{}}}.", call,
                       head.size());
  }
  return fmt::format(
      "(The result has {} bytes. Its first {} and its last {} follow. {})\n{}\n(... {} bytes are "
      "left out ...)\n{}",
      result.size(), head.size(), result.size() - tail_at, more, head, tail_at - head.size(),
      result.substr(tail_at));
}

std::string part_of(std::string_view result, uint64_t offset, uint64_t limit_bytes) {
  const size_t from = next_character(result, std::min<uint64_t>(offset, result.size()));
  const std::string_view part = beginning(result.substr(from), limit_bytes);
  const size_t end = from + part.size();
  const std::string_view rest = end < result.size() ? "there is more" : "this is the end";
  return fmt::format("(Bytes {} to {} of {}; {}.)\n{}", from, end, result.size(), rest, part);
}

}  // namespace perdure
