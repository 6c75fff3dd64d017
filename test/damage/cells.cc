#include "damage/cells.h"

#include <fmt/core.h>
#include <sqlite3.h>

#include <filesystem>
#include <fstream>
#include <functional>

#include "base/assert.h"

namespace perdure::damage {
namespace {

struct Table {
  const char* name;
  const char* key;  // an expression that makes a condition that names the row
};
constexpr Table kTables[] = {
    {"meta", "'one = ' || one"},
    {"meta_copy", "'one = ' || one"},
    {"tenant", "'key = ' || key"},
    {"frame", "'pos = ' || pos"},
    {"head", "'task = ' || task"},
    {"task", "'key = ' || key"},
    {"idempotency", "'n = ' || n"},
    {"timer", "'task = ' || quote(task) || ' AND name = ' || quote(name)"},
    {"interrupt", "'task = ' || quote(task) || ' AND seq = ' || seq"},
    {"kept",
     "'kind = ' || quote(kind) || ' AND tenant = ' || quote(tenant) || ' AND name = ' || "
     "quote(name)"},
};

class Connection {
 public:
  explicit Connection(const std::string& path) {
    PERDURE_ASSERT(sqlite3_open(path.c_str(), &database_) == SQLITE_OK, "a database can be opened");
  }
  ~Connection() { sqlite3_close(database_); }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  void each(const std::string& sql, const std::function<void(sqlite3_stmt*)>& use) {
    sqlite3_stmt* statement = nullptr;
    const int prepared = sqlite3_prepare_v2(database_, sql.c_str(), -1, &statement, nullptr);
    PERDURE_ASSERT(prepared == SQLITE_OK, sqlite3_errmsg(database_));
    while (sqlite3_step(statement) == SQLITE_ROW) use(statement);
    sqlite3_finalize(statement);
  }
  // False: the change is not possible, e.g. a key that is taken.
  bool run(const std::string& sql) {
    return sqlite3_exec(database_, sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK;
  }
  bool changed() { return sqlite3_changes(database_) > 0; }

 private:
  sqlite3* database_ = nullptr;
};

std::string text(sqlite3_stmt* row, int column) {
  const auto* bytes = reinterpret_cast<const char*>(sqlite3_column_text(row, column));
  return bytes == nullptr ? "" : bytes;
}

constexpr char kDigits[] = "0123456789ABCDEF";

std::string flipped_hex(std::string hex, size_t bit) {
  char& digit = hex[bit / 4];
  const size_t value = std::string_view(kDigits).find(digit);
  digit = kDigits[value ^ size_t{1} << bit % 4];
  return hex;
}

std::string database_in(const std::string& dir) {
  return dir + "/perdure.db";
}

constexpr const char* kSnapshots = "snapshots";
constexpr int kCellsOfASnapshot = 6;  // as many as a row has columns

void add_snapshots(const std::string& dir, std::vector<Cell>& cells) {
  for (const auto& entry : std::filesystem::directory_iterator(dir + "/" + kSnapshots)) {
    for (int i = 0; i < kCellsOfASnapshot; ++i) {
      cells.push_back({kSnapshots, entry.path().extension().string().substr(1),
                       entry.path().filename().string(), ""});
    }
  }
}

std::string flip_in_file(const std::string& path, std::mt19937_64& random) {
  std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
  const uint64_t bit = random() % (std::filesystem::file_size(path) * 8);
  file.seekg(static_cast<std::streamoff>(bit / 8));
  const int byte = file.get();
  file.seekp(static_cast<std::streamoff>(bit / 8));
  file.put(static_cast<char>(byte ^ 1 << bit % 8));
  return fmt::format("bit {} of {}", bit, path);
}

}  // namespace

std::vector<Cell> cells_of(const std::string& dir) {
  Connection connection(database_in(dir));
  std::vector<Cell> cells;
  for (const Table& table : kTables) {
    std::vector<std::string> columns;
    connection.each(fmt::format("PRAGMA table_info({})", table.name),
                    [&](sqlite3_stmt* row) { columns.push_back(text(row, 1)); });
    for (const std::string& column : columns) {
      // Texts as the bytes that they are.
      const std::string sql = fmt::format(
          "SELECT {0}, CASE typeof({1}) WHEN 'text' THEN 'CAST(' || quote(CAST({1} AS BLOB)) || "
          "' AS TEXT)' ELSE quote({1}) END FROM {2}",
          table.key, column, table.name);
      connection.each(sql, [&](sqlite3_stmt* row) {
        cells.push_back({table.name, column, text(row, 0), text(row, 1)});
      });
    }
  }
  add_snapshots(dir, cells);
  return cells;
}

std::string flip(const std::string& dir, const Cell& cell, std::mt19937_64& random) {
  if (cell.table == kSnapshots) {
    return flip_in_file(dir + "/" + kSnapshots + "/" + cell.where, random);
  }
  std::string other = cell.value;
  const size_t begin = cell.value.find("X'");
  if (begin == std::string::npos) {
    const auto number = static_cast<uint64_t>(std::stoll(cell.value));
    // Most numbers are small: so are most bits that stand on the disk.
    const uint64_t bit = random() % 4 == 0 ? random() % 63 : random() % 10;
    other = std::to_string(static_cast<int64_t>(number ^ uint64_t{1} << bit));
  } else {
    const size_t end = cell.value.find('\'', begin + 2);
    const std::string hex = cell.value.substr(begin + 2, end - begin - 2);
    if (hex.empty()) return {};
    other = cell.value.substr(0, begin + 2) + flipped_hex(hex, random() % (hex.size() * 4)) +
            cell.value.substr(end);
  }
  Connection connection(database_in(dir));
  connection.run("PRAGMA ignore_check_constraints=1");
  const std::string sql =
      fmt::format("UPDATE {} SET {} = {} WHERE {}", cell.table, cell.column, other, cell.where);
  const bool done = connection.run(sql) && connection.changed();
  connection.run("PRAGMA wal_checkpoint(TRUNCATE)");
  return done ? sql : std::string();
}

}  // namespace perdure::damage
