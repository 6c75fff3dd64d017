#pragma once
// What the benchmark reports: one row a figure, with the least that is accepted (floor) and what is
// aimed at (goal).
#include <optional>
#include <string>
#include <vector>

namespace perdure::bench {

enum class Better : bool { kLower, kHigher };

struct Row {
  std::string name;
  std::string unit;
  Better better = Better::kLower;
  std::optional<double> floor = {};  // none: told for information
  std::optional<double> goal = {};
  std::vector<double> runs = {};  // one value a run; empty: it could not be measured
  std::string note = {};          // what stands behind the value, and what it cost
  bool valid = true;              // false: the conditions of a measurement did not hold

  double value() const;  // the median of the runs
  bool meets(const std::optional<double>& bound) const;
};

std::string table_of(const std::vector<Row>& rows);
// {"rows": [{name, value, unit, floor, goal, floor_met, goal_met, valid, ...}]}; what is absent is
// null.
std::string json_of(const std::vector<Row>& rows);

}  // namespace perdure::bench
