#include "adapters/sqlite/lists.h"

#include <fmt/core.h>

#include "journal/binary.h"
#include "ports/label.h"

namespace perdure {
namespace {

constexpr const char* kColumns = R"(
ALTER TABLE interrupt ADD COLUMN assignees BLOB NOT NULL DEFAULT x'';
ALTER TABLE interrupt ADD COLUMN shown BLOB NOT NULL DEFAULT x'';
)";

// Small rows, in the order in which a list wants them.
struct Derived {
  const char* name;
  const char* what;
  const char* columns;
  const char* key;
  const char* row;  // all of it as one text
  Status (*fill)(Database& from, Database& to);
};

// Calls `use` with the columns of each row.
template <class Use>
Status each(Database& database, const std::string& select, Use use) {
  TRY_ASSIGN(Statement rows, Statement::prepare(database, select));
  for (;;) {
    TRY_ASSIGN(const bool row, rows.step());
    if (!row) return {};
    Columns columns(rows);
    TRY_STATUS(use(columns));
  }
}

Status fill_labels(Database& from, Database& to) {
  TRY_ASSIGN(Statement put,
             Statement::prepare(to, "INSERT OR IGNORE INTO task_label VALUES(?, ?, ?)"));
  return each(from, "SELECT tenant, id, metadata FROM task WHERE metadata <> '{}'",
              [&](Columns& columns) -> Status {
                const int64_t tenant = columns.integer();
                const TaskId task = columns.task();
                const std::string metadata = columns.bytes();
                if (!columns.ok()) return {};  // who looks at the row says so
                for (const std::string& label : labels_of(metadata)) {
                  put.bind(tenant, Bytes{label}, task);
                  TRY_STATUS(put.run());
                }
                return {};
              });
}

Status fill_assignees(Database& from, Database& to) {
  TRY_ASSIGN(Statement put,
             Statement::prepare(to, "INSERT OR IGNORE INTO interrupt_assignee VALUES(?, ?, ?, ?)"));
  return each(from, "SELECT tenant, task, seq, assignees, length(shown) FROM interrupt",
              [&](Columns& columns) -> Status {
                const int64_t tenant = columns.integer();
                const TaskId task = columns.task();
                const Seq seq = columns.natural();
                const std::string bytes = columns.bytes();
                const bool is_older = columns.integer() == 0;
                std::vector<std::string> assignees;
                if (!columns.ok() || !unpack(bytes, assignees)) return {};
                for (const std::string& assignee : stands_under(assignees, is_older)) {
                  put.bind(tenant, assignee, task, seq);
                  TRY_STATUS(put.run());
                }
                return {};
              });
}

constexpr Derived kDerived[] = {
    {"task_label", "labels of tasks",
     "tenant INTEGER NOT NULL, label BLOB NOT NULL, task BLOB NOT NULL, "
     "PRIMARY KEY(tenant, label, task)",
     "tenant, label, task", "tenant || '/' || hex(label) || '/' || hex(task)", fill_labels},
    {"interrupt_assignee", "whom questions name",
     "tenant INTEGER NOT NULL, assignee TEXT NOT NULL, task BLOB NOT NULL, seq INTEGER NOT NULL, "
     "PRIMARY KEY(tenant, assignee, task, seq)",
     "tenant, assignee, task, seq",
     "tenant || '/' || hex(assignee) || '/' || hex(task) || '/' || seq", fill_assignees},
};

Status create(Database& database, const Derived& table) {
  return database.exec(
      fmt::format("CREATE TABLE {}({}) STRICT, WITHOUT ROWID", table.name, table.columns));
}

// Whether two databases have the same rows of it.
Result<bool> same_rows(Database& one, Database& other, const Derived& table) {
  const std::string select =
      fmt::format("SELECT {} FROM {} ORDER BY {}", table.row, table.name, table.key);
  TRY_ASSIGN(Statement rows, Statement::prepare(one, select));
  TRY_ASSIGN(Statement others, Statement::prepare(other, select));
  for (;;) {
    TRY_ASSIGN(const bool row, rows.step());
    TRY_ASSIGN(const bool other_row, others.step());
    if (row != other_row) return false;
    if (!row) return true;
    if (Columns(rows).bytes() != Columns(others).bytes()) return false;
  }
}

// What the table should hold is made beside it.
Result<bool> is_right(Database& database, const Derived& table) {
  TRY_ASSIGN(Database wanted, Database::open(":memory:", Database::Mode::kWrite));
  TRY_STATUS(create(wanted, table));
  TRY_STATUS(wanted.exec("BEGIN"));
  TRY_STATUS(table.fill(database, wanted));
  TRY_STATUS(wanted.exec("COMMIT"));
  return same_rows(database, wanted, table);
}

}  // namespace

std::string packed(const std::vector<std::string>& assignees) {
  std::string out;
  if (!assignees.empty()) BinaryWriter(out).put(assignees);
  return out;
}

bool unpack(const std::string& bytes, std::vector<std::string>& assignees) {
  assignees.clear();
  if (bytes.empty()) return true;
  BinaryReader in(bytes);
  in.get(assignees);
  return in.ok() && in.at_end() && !assignees.empty();
}

std::vector<std::string> stands_under(const std::vector<std::string>& assignees, bool is_older) {
  return is_older ? std::vector<std::string>{""} : assignees;
}

Status add_lists(Database& database) {
  TRY_STATUS(database.exec(kColumns));
  for (const Derived& table : kDerived) {
    TRY_STATUS(create(database, table));
    TRY_STATUS(table.fill(database, database));
  }
  return {};
}

Status check_lists(Database& database, const std::function<void(std::string)>& problem) {
  for (const Derived& table : kDerived) {
    TRY_ASSIGN(const bool right, is_right(database, table));
    if (!right) problem(fmt::format("the index of {} is not what the rows say", table.what));
  }
  return {};
}

Status mend_lists(Database& database, const std::function<void(const std::string&)>& note) {
  for (const Derived& table : kDerived) {
    TRY_ASSIGN(const bool right, is_right(database, table));
    if (right) continue;
    TRY_STATUS(database.exec("BEGIN IMMEDIATE"));
    TRY_STATUS(database.exec(fmt::format("DELETE FROM {}", table.name)));
    TRY_STATUS(table.fill(database, database));
    TRY_STATUS(database.exec("COMMIT"));
    note(fmt::format("the index of {} was made again", table.what));
  }
  return {};
}

}  // namespace perdure
