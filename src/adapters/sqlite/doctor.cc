#include "adapters/sqlite/doctor.h"

#include <fmt/core.h>

#include <filesystem>

#include "adapters/sqlite/data_dir.h"
#include "adapters/sqlite/database.h"
#include "adapters/sqlite/lists.h"
#include "adapters/sqlite/log_check.h"
#include "adapters/sqlite/meta.h"
#include "adapters/sqlite/row_check.h"
#include "adapters/sqlite/schema.h"
#include "adapters/sqlite/vfs.h"
#include "journal/frame.h"

namespace perdure {
namespace {

constexpr const char* kFrames = R"(
SELECT frame.pos, coalesce(task.id, zeroblob(16)), frame.task, first_seq, count, epoch, chain, body,
  coalesce(tenant.name, '')
FROM frame LEFT JOIN task ON task.key = frame.task LEFT JOIN tenant ON tenant.key = frame.tenant
ORDER BY frame.task, first_seq)";

// What must select nothing, and what it means if it does. The first column says which row, the
// second of which task it is.
struct Rule {
  const char* broken;
  const char* sql;
};
constexpr Rule kRules[] = {
    {"a frame without a task",
     "SELECT 'position ' || pos, NULL FROM frame WHERE task NOT IN "
     "(SELECT key FROM task)"},
    {"a frame of another tenant than its task",
     "SELECT 'position ' || pos, task.id FROM frame JOIN task ON task.key = frame.task "
     "WHERE task.tenant <> frame.tenant"},
    {"a task of an unknown tenant",
     "SELECT 'key ' || key, id FROM task WHERE tenant NOT IN (SELECT key FROM tenant)"},
    {"a task without frames",
     "SELECT 'key ' || key, id FROM task WHERE key NOT IN (SELECT task FROM frame)"},
    {"a task whose row is ahead of its journal",
     "SELECT 'key ' || key, id FROM task WHERE max(head, ended_seq) > coalesce((SELECT "
     "max(first_seq + count - 1) FROM frame WHERE frame.task = task.key), 0)"},
    {"a task whose status says something else about its end than its row",
     "SELECT 'key ' || key, id FROM task WHERE (status >= 3) <> (ended_seq > 0)"},
    {"an idempotency row without its task",
     "SELECT 'number ' || n, NULL FROM idempotency WHERE task NOT IN (SELECT key FROM task)"},
    {"a timer without its task",
     "SELECT 'task ' || hex(task) || ', ' || name, NULL FROM timer WHERE task NOT IN "
     "(SELECT id FROM task)"},
    {"an interrupt without its task, or of another tenant",
     "SELECT 'task ' || hex(i.task) || ', record ' || seq, task.id FROM interrupt i LEFT JOIN task "
     "ON "
     "task.id = i.task WHERE task.id IS NULL OR task.tenant <> i.tenant"},
    {"an interrupt at a record that its task does not have",
     "SELECT 'task ' || hex(i.task) || ', record ' || seq, task.id FROM interrupt i JOIN task ON "
     "task.id = i.task WHERE seq > (SELECT max(first_seq + count - 1) FROM frame "
     "WHERE frame.task = task.key)"},
};

class Examination {
 public:
  Examination(Database& database, int64_t format, Blobs* blobs, const ExamineOptions& options)
      : database_(database), format_(format), blobs_(blobs), options_(options) {}

  StoreReport run(const Status& log) {
    // One damage must not hide the others: each part reports and the next one begins.
    note(log);
    note(check_pages());
    note(check_tables());
    note(check_rows());
    note(check_meta());
    if (format_ == kStoreFormat) {
      const RowProblem of_row = [this](const auto& task, std::string what) {
        problem_of(task, std::move(what));
      };
      note(check_store_meta(database_, of_row));
      note(check_row_digests(database_, of_row));
      note(check_heads(database_, of_row));
      note(check_lists(database_, [this](std::string what) { problem(std::move(what)); }));
    }
    note(check_frames());
    return std::move(report_);
  }

 private:
  void problem(std::string what) {
    if (report_.problems.size() < StoreReport::kProblemsMax) {
      report_.problems.push_back(std::move(what));
    }
    ++report_.problem_count;
  }
  void problem_of(const std::optional<TaskId>& task, std::string what) {
    if (!task || !options_.given_up.contains(*task)) problem(std::move(what));
  }
  void note(const Status& status) {
    if (!status) problem(status.error().message);
  }

  Status check_pages() {
    TRY_ASSIGN(Statement check, Statement::prepare(database_, "PRAGMA integrity_check(100)"));
    for (;;) {
      TRY_ASSIGN(const bool row, check.step());
      if (!row) return {};
      const std::string found = Columns(check).bytes();
      if (found != "ok") problem(fmt::format("database {}: {}", database_.path(), found));
    }
  }

  // SQLite itself takes a damaged name of a column for another column.
  Status check_tables() {
    TRY_ASSIGN(const auto wanted, tables_of_format(format_));
    TRY_ASSIGN(const auto found, describe_tables(database_));
    if (found != wanted) problem("the tables are not those of format " + std::to_string(format_));
    return {};
  }

  Status check_rows() {
    for (const Rule& rule : kRules) note(check_rule(rule));
    return {};
  }
  Status check_rule(const Rule& rule) {
    TRY_ASSIGN(Statement broken, Statement::prepare(database_, rule.sql));
    for (;;) {
      TRY_ASSIGN(const bool row, broken.step());
      if (!row) return {};
      Columns columns(broken);
      const std::string which = columns.bytes();
      std::optional<TaskId> task;
      if (!columns.is_null()) task = columns.task();
      problem_of(task, fmt::format("{}: {}", rule.broken, which));
    }
  }

  Status check_meta() {
    TRY_ASSIGN(Statement meta, Statement::prepare(database_,
                                                  "SELECT incarnation, length(secret), (SELECT "
                                                  "coalesce(max(epoch), 0) FROM frame) FROM meta"));
    TRY_ASSIGN(const bool row, meta.step());
    Columns columns(meta);
    if (!row) {
      problem("the table `meta` is empty");
      return {};
    }
    const uint64_t incarnation = columns.natural();
    if (columns.natural() != 32 && format_ < kStoreFormat) {
      problem("the secret of the store has not 32 bytes");
    }
    if (columns.natural() >> 32 > incarnation) {
      problem(fmt::format("a frame has a newer epoch than the store, whose incarnation is {}",
                          incarnation));
    }
    TRY_ASSIGN(const int64_t tasks, database_.integer("SELECT count(*) FROM task"));
    report_.tasks = static_cast<uint64_t>(tasks);
    return {};
  }

  Status check_frames() {
    TRY_ASSIGN(Statement frames, Statement::prepare(database_, kFrames));
    for (;;) {
      TRY_ASSIGN(const bool row, frames.step());
      if (!row) return {};
      check_frame(frames);
    }
  }

  void check_frame(const Statement& statement) {
    Columns columns(statement);
    Frame frame;
    frame.pos = columns.natural();
    frame.task = columns.task();
    const int64_t key = columns.integer();
    if (key != key_) begin_task(key);
    frame.first_seq = columns.natural();
    frame.count = static_cast<uint32_t>(columns.natural());
    frame.epoch = columns.natural();
    frame.previous = chain_;
    frame.chain = columns.hash();
    frame.body = columns.bytes();
    const std::string tenant = columns.bytes();
    options_.progress(++report_.frames);
    if (!columns.ok()) {
      problem_of(frame.task,
                 fmt::format("the frame at position {}: a column is damaged", frame.pos));
      return;
    }
    check_place(frame);
    if (const Status verified = verify_frame(frame, chain_); !verified) {
      problem_of(frame.task, verified.error().message);
    }
    check_records(frame, tenant);
    // After a damaged frame the next one is measured against what this one says it is: one damage
    // is one problem.
    next_seq_ = frame.last_seq() + 1;
    epoch_ = frame.epoch;
    chain_ = frame.chain;
  }

  void begin_task(int64_t key) {
    key_ = key;
    next_seq_ = 1;
    epoch_ = 0;
    chain_ = Sha256{};
  }

  void check_place(const Frame& frame) {
    if (frame.first_seq != next_seq_) {
      problem_of(frame.task,
                 fmt::format("journal of {}: record {} is expected and the next frame begins at {}",
                             frame.task.to_string(), next_seq_, frame.first_seq));
    }
    if (frame.epoch < epoch_) {
      problem_of(frame.task,
                 fmt::format("journal of {}, frame at sequence number {}: its epoch is older than "
                             "that of the frame before",
                             frame.task.to_string(), frame.first_seq));
    }
  }

  void check_records(const Frame& frame, const std::string& tenant) {
    const auto records = decode_frame(frame);
    if (!records) return;  // verify_frame has said so
    report_.records += records->size();
    for (const Record& record : *records) {
      const Payload* payload = payload_of(record.body);
      if (!blobs_ || !payload || payload->place != Payload::Place::kBlob) continue;
      ++report_.blobs;
      const auto bytes = blobs_->get(tenant, payload->hash);
      if (bytes) continue;
      problem_of(frame.task, fmt::format("journal of {}, record {}: {}", frame.task.to_string(),
                                         record.seq, bytes.error().message));
    }
  }

  Database& database_;
  int64_t format_;
  Blobs* blobs_;
  const ExamineOptions& options_;
  StoreReport report_;
  int64_t key_ = 0;  // of the task whose frames are being read
  Seq next_seq_ = 1;
  Epoch epoch_ = 0;
  Sha256 chain_;
};

StoreReport only_problem(const Error& error) {
  StoreReport report;
  report.problems.push_back(error.message);
  report.problem_count = 1;
  return report;
}

}  // namespace

Result<StoreReport> examine_store(const std::string& dir, Blobs* blobs,
                                  const ExamineOptions& options) {
  TRY_ASSIGN(DataDir locked, DataDir::lock_existing(dir));
  TRY_STATUS(locked.sign());
  const std::string path = locked.database_path();
  if (!std::filesystem::exists(path)) {
    return fail(Code::kNotFound, fmt::format("there is no store in {}", dir));
  }
  const auto format = inspect_format(path);
  if (!format) {
    if (format.error().code != Code::kCorrupt) return tl::unexpected(format.error());
    return only_problem(format.error());
  }
  const Status log = require_sound_log(path);
  TRY_ASSIGN(Database database, Database::open(path, Database::Mode::kInspect));
  TRY_ASSIGN(const int64_t tables, database.integer("SELECT count(*) FROM sqlite_schema"));
  if (*format == 0 && tables == 0) {
    if (!log) return only_problem(log.error());
    return fail(Code::kNotFound,
                fmt::format("the store in {} was cut short while it was made: nothing was accepted "
                            "into it, and the next start of the server completes it",
                            dir));
  }
  return Examination(database, *format, blobs, options).run(log);
}

Result<uint64_t> forget_lost_commits(const std::string& dir) {
  TRY_ASSIGN(DataDir locked, DataDir::lock_existing(dir));
  TRY_STATUS(locked.sign());
  const std::string path = locked.database_path();
  TRY_ASSIGN(const int64_t format, inspect_format(path));
  TRY_ASSIGN(const LogCheck found, check_log(path));
  if (found.lost_commits == 0 && format < kStoreFormat) {
    return fail(Code::kNotFound, fmt::format("no commit is lost in the log {}-wal", path));
  }
  TRY_ASSIGN(Database database, Database::open(path, Database::Mode::kWrite, kProcessVfs));
  TRY_ASSIGN(const int64_t tables, database.integer("SELECT count(*) FROM sqlite_schema"));
  if (tables == 0) {
    return fail(Code::kCorrupt,
                fmt::format("all of {} stood behind the damage in its log: nothing would be left; "
                            "restore a backup, or remove {}",
                            path, dir));
  }
  TRY_ASSIGN(const int64_t left, database.integer("PRAGMA user_version"));
  const bool is_marked = left < kStoreFormat || check_mark(database).has_value();
  if (found.lost_commits == 0 && is_marked) {
    return fail(Code::kNotFound,
                fmt::format("no commit is lost in the log {}-wal, and the newest one that was "
                            "written is there",
                            path));
  }
  if (!is_marked) {
    TRY_STATUS(database.exec("PRAGMA synchronous=FULL"));
    TRY_STATUS(renew_mark(database));
  }
  TRY_STATUS(database.exec("PRAGMA wal_checkpoint(TRUNCATE)"));
  return found.lost_commits;
}

}  // namespace perdure
