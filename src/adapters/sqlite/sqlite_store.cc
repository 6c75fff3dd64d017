#include "adapters/sqlite/sqlite_store.h"

#include <sqlite3.h>

#include <mutex>
#include <utility>

#include "adapters/sqlite/data_dir.h"
#include "adapters/sqlite/database.h"
#include "adapters/sqlite/log_file.h"
#include "adapters/sqlite/reader_pool.h"
#include "adapters/sqlite/schema.h"
#include "adapters/sqlite/writer.h"
#include "base/assert.h"
#include "base/hooks.h"

namespace perdure {

// Destroyed from the end: readers first, so that the writer's connection is the last one and may
// empty the log; the lock of the directory goes last.
struct SqliteStore::Parts {
  Parts(DataDir locked, Database opened) : dir(std::move(locked)), database(std::move(opened)) {}

  DataDir dir;
  Database database;
  StoreMeta meta;
  Pos last_pos = 0;

  mutable std::mutex mutex;  // of what follows
  StoreStats stats;
  std::unique_ptr<Checkpointer> checkpointer;
  std::unique_ptr<Writer> writer;
  std::unique_ptr<ReaderPool> readers;
};

namespace {

Status configure_writer(Database& database, const SqliteOptions& options) {
  TRY_STATUS(database.exec("PRAGMA journal_mode=WAL"));
  TRY_STATUS(
      database.exec(options.unsafe_no_sync ? "PRAGMA synchronous=OFF" : "PRAGMA synchronous=FULL"));
  TRY_STATUS(database.exec("PRAGMA wal_autocheckpoint=0"));
  TRY_STATUS(database.exec("PRAGMA cache_size=-65536"));
  int keep = 1;
  sqlite3_file_control(database.handle(), "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
  return {};
}

// Tables, names of files and a log of full size, all durable.
Status make_ready(Database& database, const DataDir& dir, const SqliteOptions& options) {
  TRY_STATUS(configure_writer(database, options));
  TRY_STATUS(migrate(database));
  TRY_STATUS(grow_log(dir.database_path(), options.log_bytes));
  return sync_dir(dir.path());
}

Result<std::unique_ptr<ReaderPool>> open_readers(const std::string& path, size_t count) {
  std::vector<std::unique_ptr<Reader>> readers(count);
  for (auto& reader : readers) {
    TRY_ASSIGN(reader, Reader::open(path));
  }
  return std::make_unique<ReaderPool>(std::move(readers));
}

}  // namespace

Result<std::unique_ptr<SqliteStore>> SqliteStore::open(SqliteOptions options) {
  PERDURE_ASSERT(options.readers > 0, "somebody must read");
  TRY_ASSIGN(DataDir dir, DataDir::lock(options.dir));
  const std::string path = dir.database_path();
  TRY_STATUS(inspect_format(path));
  TRY_STATUS(dir.sign());
  TRY_ASSIGN(Database database, Database::open(path, Database::Mode::kWrite));
  TRY_STATUS(make_ready(database, dir, options));

  auto parts = std::make_unique<Parts>(std::move(dir), std::move(database));
  TRY_ASSIGN(parts->meta, begin_incarnation(parts->database));
  hooks::crash_point("store.opened");
  TRY_ASSIGN(const int64_t last_pos, parts->database.integer("SELECT max(pos) FROM frame"));
  parts->last_pos = static_cast<Pos>(last_pos);
  parts->checkpointer = std::make_unique<Checkpointer>(parts->database, options.checkpoint_pages);
  TRY_ASSIGN(parts->writer, Writer::create(parts->database, parts->last_pos));
  TRY_ASSIGN(parts->readers, open_readers(path, options.readers));
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(parts)));
}

SqliteStore::SqliteStore(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
SqliteStore::~SqliteStore() = default;

void SqliteStore::commit(const Batch& batch, std::function<void(CommitResult)> done) {
  CommitResult result;
  {
    const std::lock_guard lock(parts_->mutex);
    result = parts_->writer->commit(batch);
    if (result.kind == CommitResult::Kind::kDurable) {
      ++parts_->stats.commits;
      parts_->stats.frames += batch.frames.size();
    } else if (result.kind == CommitResult::Kind::kRefused) {
      ++parts_->stats.refused;
    }
  }
  const bool durable = result.kind == CommitResult::Kind::kDurable;
  done(std::move(result));
  if (!durable) return;
  // After `done`: nobody waits for it. If it fails, the next commit says so.
  const std::lock_guard lock(parts_->mutex);
  Status moved = parts_->checkpointer->after_commit();
  if (!moved) parts_->writer->stop(std::move(moved).error());
}

Epoch SqliteStore::epoch() const {
  return parts_->meta.incarnation << 32 | 1;
}
Pos SqliteStore::last_pos() const {
  return parts_->last_pos;
}
std::string SqliteStore::secret() const {
  return parts_->meta.secret;
}

StoreStats SqliteStore::stats() const {
  const std::lock_guard lock(parts_->mutex);
  StoreStats stats = parts_->stats;
  stats.checkpoints = parts_->checkpointer->checkpoints();
  stats.log_pages = static_cast<uint64_t>(parts_->checkpointer->pages());
  return stats;
}

Result<bool> SqliteStore::contains(const Frame& frame) {
  return parts_->readers->with([&](Reader& reader) { return reader.contains(frame); });
}
Result<std::optional<TaskRow>> SqliteStore::task(const TaskId& id) {
  return parts_->readers->with([&](Reader& reader) { return reader.task(id); });
}
Result<std::vector<TaskRow>> SqliteStore::tasks(const TaskQuery& query) {
  return parts_->readers->with([&](Reader& reader) { return reader.tasks(query); });
}
Result<std::vector<Frame>> SqliteStore::frames(const TaskId& id, Seq from_seq, size_t max_bytes) {
  return parts_->readers->with(
      [&](Reader& reader) { return reader.frames(id, from_seq, max_bytes); });
}
Result<std::optional<IdempotencyRow>> SqliteStore::idempotency(const std::string& tenant,
                                                               const std::string& route,
                                                               const std::string& key) {
  return parts_->readers->with(
      [&](Reader& reader) { return reader.idempotency(tenant, route, key); });
}
Result<std::vector<InterruptRow>> SqliteStore::interrupts(const std::string& tenant,
                                                          std::optional<InterruptId> after,
                                                          size_t limit) {
  return parts_->readers->with(
      [&](Reader& reader) { return reader.interrupts(tenant, after, limit); });
}
Result<std::vector<TimerRow>> SqliteStore::timers_due(int64_t until_ms, size_t limit) {
  return parts_->readers->with([&](Reader& reader) { return reader.timers_due(until_ms, limit); });
}
Result<std::vector<TaskId>> SqliteStore::runnable(std::optional<TaskId> after, size_t limit) {
  return parts_->readers->with([&](Reader& reader) { return reader.runnable(after, limit); });
}

}  // namespace perdure
