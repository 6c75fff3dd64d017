#pragma once
// The cells of a database: each column of each row, and what one flipped bit makes of it.
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

// Of a closed store.
std::vector<Cell> cells_of(const std::string& database);
// Flips one bit of the cell in the file; says which.
std::string flip(const std::string& database, const Cell& cell, std::mt19937_64& random);

}  // namespace perdure::damage
