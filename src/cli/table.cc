#include "cli/table.h"

#include <algorithm>

#include "cli/text.h"

namespace perdure::cli {
namespace {

constexpr size_t kGap = 2;
constexpr size_t kElasticMin = 6;
constexpr size_t kIdColumns = 8;

}  // namespace

void Table::add(std::vector<std::string> row) {
  for (std::string& cell : row) cell = visible(cell);
  row.resize(columns_.size());
  rows_.push_back(std::move(row));
}

std::vector<size_t> Table::widths(size_t available) const {
  std::vector<size_t> widths;
  size_t total = 0;
  for (size_t i = 0; i < columns_.size(); ++i) {
    size_t width = columns_of(columns_[i].head);
    for (const auto& row : rows_) width = std::max(width, columns_of(row[i]));
    widths.push_back(width);
    total += width + kGap;
  }
  total -= kGap;
  if (available == 0) return widths;
  const auto shrink = [&](size_t i, size_t least) {
    if (total <= available || widths[i] <= least) return;
    const size_t given =
        columns_[i].is_id ? widths[i] - least : std::min(total - available, widths[i] - least);
    widths[i] -= given;
    total -= given;
  };
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i].is_id) shrink(i, kIdColumns);
  }
  // From the right: what stands last matters least.
  for (size_t i = columns_.size(); i-- > 0;) {
    if (columns_[i].is_elastic) shrink(i, kElasticMin);
  }
  return widths;
}

std::string Table::shown(const std::string& cell, size_t column, size_t width) const {
  return columns_[column].is_id ? tail_of(cell, width) : clipped(cell, width);
}

std::string Table::text(const Look& look) const {
  const std::vector<size_t> width = widths(look.columns);
  std::string out;
  const auto put = [&](const std::vector<std::string>& cells, bool is_head) {
    std::string line;
    size_t blanks = 0;
    for (size_t i = 0; i < cells.size(); ++i) {
      const std::string cell = is_head ? clipped(cells[i], width[i]) : shown(cells[i], i, width[i]);
      if (!cell.empty()) line.append(blanks, ' '), blanks = 0;
      line += is_head                 ? look.paint(Ink::kDim, cell)
              : columns_[i].is_status ? look.status(cell)
                                      : cell;
      blanks += width[i] - columns_of(cell) + kGap;
    }
    out += line + "\n";
  };
  std::vector<std::string> heads;
  for (const Column& column : columns_) heads.push_back(column.head);
  put(heads, true);
  for (const auto& row : rows_) put(row, false);
  return out;
}

}  // namespace perdure::cli
