#include "row.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/json.h"
#include "schema/meter.h"

namespace perdure::bench {
namespace {

std::string number(double value) {
  return value >= 1000 ? fmt::format("{:.0f}", value) : fmt::format("{:.3g}", value);
}

std::string number(const std::optional<double>& value) {
  return value ? number(*value) : "-";
}

std::string verdict(const Row& row) {
  if (!row.valid) return "INVALID";
  if (row.runs.empty()) return "not run";
  if (!row.floor) return "";
  if (row.goal && row.meets(row.goal)) return "goal";
  return row.meets(row.floor) ? "floor" : "MISSED";
}

json::value or_null(const std::optional<double>& value) {
  return value ? json::value(*value) : json::value();
}

json::object object_of(const Row& row) {
  json::object object;
  object["name"] = row.name;
  object["value"] = row.runs.empty() ? json::value() : json::value(row.value());
  object["unit"] = row.unit;
  object["floor"] = or_null(row.floor);
  object["goal"] = or_null(row.goal);
  object["floor_met"] = row.floor ? json::value(row.meets(row.floor)) : json::value();
  object["goal_met"] = row.goal ? json::value(row.meets(row.goal)) : json::value();
  object["valid"] = row.valid;
  object["runs"] = json::array(row.runs.begin(), row.runs.end());
  object["note"] = row.note;
  return object;
}

}  // namespace

double Row::value() const {
  return quantile(runs, 0.5);
}

bool Row::meets(const std::optional<double>& bound) const {
  if (!bound || runs.empty() || !valid) return false;
  return better == Better::kLower ? value() <= *bound : value() >= *bound;
}

std::string table_of(const std::vector<Row>& rows) {
  std::string table = fmt::format("{:<52} {:>9} {:>17} {:>7} {:>7} {:>8}  {}\n", "", "median",
                                  "range", "floor", "goal", "", "");
  for (const Row& row : rows) {
    const bool measured = !row.runs.empty();
    const auto [least, most] = std::minmax_element(row.runs.begin(), row.runs.end());
    table +=
        fmt::format("{:<52} {:>9} {:>17} {:>7} {:>7} {:>8}  {}\n",
                    fmt::format("{}, {}", row.name, row.unit), measured ? number(row.value()) : "-",
                    measured ? fmt::format("{} .. {}", number(*least), number(*most)) : "-",
                    number(row.floor), number(row.goal), verdict(row), row.note);
  }
  return table;
}

std::string json_of(const std::vector<Row>& rows) {
  json::array all;
  for (const Row& row : rows) all.push_back(object_of(row));
  return to_json(json::object{{"rows", std::move(all)}}) + "\n";
}

}  // namespace perdure::bench
