#pragma once
// Columns for people. Pure.
#include <string>
#include <vector>

#include "cli/look.h"

namespace perdure::cli {

// Each column is as wide as its widest cell; if the whole is wider than the terminal, ids are cut
// to their ends and the elastic columns give way. Rows are lines; cells are made visible.
class Table {
 public:
  struct Column {
    std::string head;
    bool is_elastic = false;
    bool is_status = false;  // coloured by its word
    bool is_id = false;      // its end is enough where there is no room
  };

  explicit Table(std::vector<Column> columns) : columns_(std::move(columns)) {}
  void add(std::vector<std::string> row);
  bool empty() const { return rows_.empty(); }
  std::string text(const Look& look) const;

 private:
  std::vector<size_t> widths(size_t available) const;
  std::string shown(const std::string& cell, size_t column, size_t width) const;

  std::vector<Column> columns_;
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace perdure::cli
