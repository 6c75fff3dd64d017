#pragma once
// The cells of a store: each column of each row, each file of a snapshot, and what one flipped bit
// makes of it.
#include <cstdint>
#include <random>
#include <string>
#include <vector>

namespace perdure::damage {

struct Cell {
  std::string table, column;
  std::string where;  // names the row
  std::string value;  // as an SQL literal
};

// Of a closed store, in its directory: columns of its tables, and the files of its snapshots.
std::vector<Cell> cells_of(const std::string& dir);
// Flips one bit of the cell; says which.
std::string flip(const std::string& dir, const Cell& cell, std::mt19937_64& random);

}  // namespace perdure::damage
