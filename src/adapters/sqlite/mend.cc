#include "adapters/sqlite/mend.h"

#include <fmt/core.h>

#include <optional>
#include <utility>
#include <vector>

#include "adapters/sqlite/closed_store.h"
#include "adapters/sqlite/log_check.h"
#include "adapters/sqlite/row_columns.h"
#include "journal/frame.h"
#include "ports/row_digest.h"

namespace perdure {
namespace {

using Note = std::function<void(const std::string&)>;

// Enough to tell a tenant whose name is damaged from tasks that were led to another one.
constexpr int64_t kTasksAsked = 1000;
// What is known of damaged tasks is put right by who knows what it means.
constexpr std::string_view kDamageKind = "damage";

struct Orphans {
  const char* what;
  const char* where;
};
// Beside tasks and frames: without those a row says nothing.
constexpr Orphans kOrphans[] = {
    {"timers of tasks that there are not", "timer WHERE task NOT IN (SELECT id FROM task)"},
    {"questions of tasks that there are not", "interrupt WHERE task NOT IN (SELECT id FROM task)"},
    {"ends of journals that there are not",
     "head WHERE task <> 0 AND task NOT IN (SELECT key FROM task)"},
};

class Tables {
 public:
  Tables(ClosedSqlite& store, const Note& note)
      : store_(store), database_(store.database()), note_(note) {}

  Status run() {
    TRY_STATUS(check_mark(database_));
    TRY_STATUS(mend_indexes());
    TRY_STATUS(mend_meta());
    TRY_STATUS(mend_tenants());
    for (const Orphans& orphans : kOrphans) TRY_STATUS(remove(orphans));
    TRY_STATUS(remove_kept());
    return tell_lost_keys();
  }

 private:
  // What SQLite finds wrong with the pages; empty: nothing.
  Result<std::string> page_problem() {
    TRY_ASSIGN(Statement check, Statement::prepare(database_, "PRAGMA integrity_check(1)"));
    TRY_ASSIGN(const bool row, check.step());
    std::string found = row ? Columns(check).bytes() : std::string();
    return found == "ok" ? std::string() : found;
  }

  // An index is made again from its table; a table from nothing.
  Status mend_indexes() {
    TRY_ASSIGN(const std::string problem, page_problem());
    if (problem.empty()) return {};
    TRY_STATUS(database_.exec("BEGIN IMMEDIATE"));
    const Status indexed = database_.exec("REINDEX");
    const auto left = page_problem();
    if (!indexed || !left || !left->empty()) {
      TRY_STATUS(database_.exec("ROLLBACK"));
      return fail(Code::kCorrupt,
                  fmt::format("database {}: {}. Rows cannot be written into damaged "
                              "pages: restore a backup",
                              database_.path(), problem));
    }
    TRY_STATUS(database_.exec("COMMIT"));
    note_(fmt::format("the indexes were made again ({})", problem));
    return {};
  }

  Status mend_meta() {
    const StoreMeta& meta = store_.meta();
    if (!meta.one_secret && !meta.is_guessed) return {};
    TRY_STATUS(database_.exec("BEGIN IMMEDIATE"));
    TRY_STATUS(repair_meta(database_, meta));
    TRY_STATUS(database_.exec("COMMIT"));
    if (meta.one_secret) note_("the secret of the store was copied over its damaged copy");
    if (meta.is_guessed) {
      note_(fmt::format("how often the store was opened was taken from its newest frame: {}",
                        meta.incarnation));
    }
    return {};
  }

  Status mend_tenants() {
    std::vector<int64_t> keys;
    {
      TRY_ASSIGN(Statement used, Statement::prepare(database_, "SELECT DISTINCT tenant FROM task"));
      for (;;) {
        TRY_ASSIGN(const bool row, used.step());
        if (!row) break;
        keys.push_back(Columns(used).integer());
      }
    }
    for (const int64_t key : keys) TRY_STATUS(mend_tenant(key));
    return {};
  }

  // Renamed if all its tasks say so, and nobody has that name: otherwise it is its tasks that are
  // led astray, and they are written anew one by one.
  Status mend_tenant(int64_t key) {
    TRY_ASSIGN(const std::optional<std::string> name, name_of(key));
    TRY_ASSIGN(const std::optional<std::string> said, said_of(key, name));
    if (!said || said == name) return {};
    TRY_ASSIGN(Statement taken,
               Statement::prepare(database_, "SELECT 1 FROM tenant WHERE name = ?"));
    taken.bind(*said);
    TRY_ASSIGN(const bool is_taken, taken.step());
    taken.reset();
    if (is_taken) return {};
    TRY_ASSIGN(Statement put, Statement::prepare(database_,
                                                 "INSERT INTO tenant VALUES(?, ?) ON CONFLICT(key) "
                                                 "DO UPDATE SET name = excluded.name"));
    put.bind(key, *said);
    TRY_STATUS(put.run());
    note_(fmt::format("the tenant with the key {} has the name '{}' again", key, *said));
    return {};
  }

  Result<std::optional<std::string>> name_of(int64_t key) {
    TRY_ASSIGN(Statement find,
               Statement::prepare(database_, "SELECT name FROM tenant WHERE key = ?"));
    find.bind(key);
    TRY_ASSIGN(const bool row, find.step());
    if (!row) return std::nullopt;
    return Columns(find).bytes();
  }

  // `name` if a journal confirms it; otherwise the one that all journals say, if they do.
  Result<std::optional<std::string>> said_of(int64_t key, const std::optional<std::string>& name) {
    TRY_ASSIGN(Statement tasks,
               Statement::prepare(database_, "SELECT id FROM task WHERE tenant = ? LIMIT ?"));
    tasks.bind(key, kTasksAsked);
    std::optional<std::string> all;
    bool agree = true;
    for (;;) {
      TRY_ASSIGN(const bool row, tasks.step());
      if (!row) break;
      const TaskId id = Columns(tasks).task();
      TRY_ASSIGN(const std::optional<std::string> said, tenant_in_journal(id));
      if (!said) continue;
      if (said == name) return name;
      agree = agree && (!all || all == said);
      all = said;
    }
    return agree ? all : std::nullopt;
  }

  Result<std::optional<std::string>> tenant_in_journal(const TaskId& id) {
    TRY_ASSIGN(const std::vector<Frame> frames, store_.reader().frames_as_they_are(id, 1, 1));
    if (frames.empty() || !verify_frame(frames.front(), Sha256{})) return std::nullopt;
    TRY_ASSIGN(const std::vector<Record> records, decode_frame(frames.front()));
    const auto* created = std::get_if<TaskCreated>(&records.front().body);
    if (created == nullptr) return std::nullopt;
    return created->tenant;
  }

  Status remove(const Orphans& orphans) {
    TRY_ASSIGN(const int64_t found,
               database_.integer(fmt::format("SELECT count(*) FROM {}", orphans.where)));
    if (found == 0) return {};
    TRY_STATUS(database_.exec(fmt::format("DELETE FROM {}", orphans.where)));
    note_(fmt::format("{} {} were removed", found, orphans.what));
    return {};
  }

  Status remove_kept() {
    std::vector<KeptRow> damaged;
    {
      TRY_ASSIGN(Statement kept, Statement::prepare(database_, kSelectKept));
      for (;;) {
        TRY_ASSIGN(const bool row, kept.step());
        if (!row) break;
        Columns columns(kept);
        KeptRow found = kept_row(columns);
        if (found.damaged && found.kind != kDamageKind) damaged.push_back(std::move(found));
      }
    }
    for (const KeptRow& row : damaged) {
      Batch batch;
      batch.kept.push_back(row);
      TRY_STATUS(store_.commit(batch));
      const std::string_view what = row.kind == "key"     ? ": make the key again"
                                    : row.kind == "agent" ? ": put the agent again"
                                                          : "";
      note_(fmt::format("the damaged row of {} '{}' of tenant '{}' was removed{}", row.kind,
                        row.name, row.tenant, what));
    }
    return {};
  }

  // Nothing else knows the key. The row stays: whoever sends the same request again is told by its
  // content that it may have been accepted.
  Status tell_lost_keys() {
    TRY_ASSIGN(
        Statement rows,
        Statement::prepare(database_,
                           "SELECT n, hash, request_hash, task.id, idempotency.created_ms, "
                           "idempotency.digest FROM idempotency LEFT JOIN task ON task.key = "
                           "idempotency.task"));
    for (;;) {
      TRY_ASSIGN(const bool row, rows.step());
      if (!row) return {};
      Columns columns(rows);
      const int64_t n = columns.integer();
      const std::string hash = columns.bytes();
      IdempotencyRow found;
      found.request_hash = columns.hash();
      const bool is_known = !columns.is_null();
      found.task = columns.task();
      found.created_ms = columns.integer();
      const int64_t digest = columns.integer();
      if (columns.ok() && digest == digest_of(found, hash)) continue;
      note_(fmt::format("the idempotency key of row {} is lost, under which {} was submitted", n,
                        is_known ? "task " + found.task.to_string() : "a task"));
    }
  }

  ClosedSqlite& store_;
  Database& database_;
  const Note& note_;
};

}  // namespace

Result<std::unique_ptr<ClosedStore>> open_to_mend(const std::string& dir, const Note& note) {
  TRY_ASSIGN(DataDir locked, DataDir::lock_existing(dir));
  TRY_STATUS(locked.sign());
  TRY_STATUS(require_sound_log(locked.database_path()));
  TRY_ASSIGN(auto store, ClosedSqlite::open(std::move(locked), ClosedSqlite::Use::kMend));
  TRY_STATUS(Tables(*store, note).run());
  return store;
}

}  // namespace perdure
