#include "cli/diff.h"

#include <algorithm>
#include <cstdint>
#include <vector>

#include "cli/text.h"

namespace perdure::cli {
namespace {

using Lines = std::vector<std::string_view>;

constexpr size_t kContextLines = 3;
constexpr size_t kTableMax = 4'000'000;  // of pairs of lines; beyond, all is shown as changed

Lines lines_of(std::string_view text) {
  Lines lines;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    lines.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return lines;
}

struct Line {
  char sign;  // ' ', '-' or '+'
  std::string_view text;
};

// The longest common subsequence, from the end: what is equal at both ends is not looked at.
std::vector<Line> aligned(const Lines& before, const Lines& after) {
  size_t head = 0;
  const size_t least = std::min(before.size(), after.size());
  while (head < least && before[head] == after[head]) ++head;
  size_t tail = 0;
  while (tail < least - head &&
         before[before.size() - 1 - tail] == after[after.size() - 1 - tail]) {
    ++tail;
  }
  const size_t rows = before.size() - head - tail;
  const size_t columns = after.size() - head - tail;
  const bool is_small = (rows + 1) * (columns + 1) <= kTableMax;
  std::vector<uint32_t> common(is_small ? (rows + 1) * (columns + 1) : 0, 0);
  const auto at = [&](size_t i, size_t j) -> uint32_t& { return common[i * (columns + 1) + j]; };
  for (size_t i = rows; is_small && i-- > 0;) {
    for (size_t j = columns; j-- > 0;) {
      at(i, j) = before[head + i] == after[head + j] ? at(i + 1, j + 1) + 1
                                                     : std::max(at(i + 1, j), at(i, j + 1));
    }
  }
  std::vector<Line> out;
  for (size_t i = 0; i < head; ++i) out.push_back({' ', before[i]});
  size_t i = 0;
  size_t j = 0;
  while (i < rows || j < columns) {
    if (is_small && i < rows && j < columns && before[head + i] == after[head + j]) {
      out.push_back({' ', before[head + i]});
      ++i, ++j;
    } else if (i < rows && (!is_small || j == columns || at(i + 1, j) >= at(i, j + 1))) {
      out.push_back({'-', before[head + i++]});
    } else {
      out.push_back({'+', after[head + j++]});
    }
  }
  for (size_t k = 0; k < tail; ++k) out.push_back({' ', before[head + rows + k]});
  return out;
}

}  // namespace

std::string diff_text(std::string_view before, std::string_view after, const Look& look) {
  const std::vector<Line> all = aligned(lines_of(before), lines_of(after));
  std::vector<bool> is_near(all.size(), false);
  for (size_t i = 0; i < all.size(); ++i) {
    if (all[i].sign == ' ') continue;
    const size_t end = std::min(all.size(), i + kContextLines + 1);
    for (size_t k = i - std::min(i, kContextLines); k < end; ++k) is_near[k] = true;
  }
  std::string out;
  bool gap = false;
  for (size_t i = 0; i < all.size(); ++i) {
    if (!is_near[i]) {
      gap = true;
      continue;
    }
    if (gap) out += look.paint(Ink::kDim, "  ...") + "\n";
    gap = false;
    const Ink ink = all[i].sign == '-' ? Ink::kRed : all[i].sign == '+' ? Ink::kGreen : Ink::kPlain;
    out += look.paint(ink, std::string(1, all[i].sign) + " " + visible(all[i].text)) + "\n";
  }
  return out;
}

}  // namespace perdure::cli
