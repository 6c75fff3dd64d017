#include "adapters/sqlite/sqlite_store.h"

#include <sqlite3.h>

#include <mutex>
#include <optional>
#include <utility>

#include "adapters/sqlite/commit_thread.h"
#include "adapters/sqlite/data_dir.h"
#include "adapters/sqlite/database.h"
#include "adapters/sqlite/log_check.h"
#include "adapters/sqlite/log_file.h"
#include "adapters/sqlite/meta.h"
#include "adapters/sqlite/reader_pool.h"
#include "adapters/sqlite/schema.h"
#include "adapters/sqlite/vfs.h"
#include "adapters/sqlite/writer.h"
#include "base/assert.h"
#include "base/hooks.h"

namespace perdure {

// Destroyed from the end: what is being committed first, then readers, so that the writer's
// connection is the last one; the lock of the directory goes last.
struct SqliteStore::Parts {
  Parts(DataDir locked, Database opened) : dir(std::move(locked)), database(std::move(opened)) {}
  ~Parts();

  DataDir dir;
  Database database;
  StoreMeta meta;
  Pos last_pos = 0;
  bool is_synced = true;

  void commit(const Batch& batch, const std::function<void(CommitResult)>& done);
  void checkpoint();

  mutable std::mutex stats_mutex;
  StoreStats stats;
  // Of one thread at a time: that of the commits, or whoever commits while it is idle.
  std::unique_ptr<Checkpointer> checkpointer;
  std::unique_ptr<Writer> writer;
  std::unique_ptr<ReaderPool> readers;
  std::optional<CommitThread> thread;
};

namespace {

// A small batch costs little more than its flush, and waking a thread would add to that; behind a
// larger one the engine has work to do meanwhile.
constexpr size_t kCommitHereFramesMax = 4;

Result<Database> open_writer(const std::string& path, bool unsafe_no_sync) {
  if (unsafe_no_sync) return Database::open(path, Database::Mode::kWrite, kProcessVfs);
  TRY_ASSIGN(const char* vfs, gathering_vfs());
  return Database::open(path, Database::Mode::kWrite, vfs);
}

Status configure_writer(Database& database, const SqliteOptions& options) {
  TRY_STATUS(database.exec("PRAGMA journal_mode=WAL"));
  TRY_STATUS(
      database.exec(options.unsafe_no_sync ? "PRAGMA synchronous=OFF" : "PRAGMA synchronous=FULL"));
  TRY_STATUS(database.exec("PRAGMA wal_autocheckpoint=0"));
  TRY_STATUS(database.exec("PRAGMA cache_size=-8192"));
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
  TRY_STATUS(require_sound_log(path));
  TRY_STATUS(sync_log(path));
  TRY_STATUS(dir.sign());
  TRY_ASSIGN(Database database, open_writer(path, options.unsafe_no_sync));
  TRY_STATUS(make_ready(database, dir, options));

  auto parts = std::make_unique<Parts>(std::move(dir), std::move(database));
  parts->is_synced = !options.unsafe_no_sync;
  TRY_STATUS(check_mark(parts->database));
  TRY_ASSIGN(parts->meta, begin_incarnation(parts->database));
  hooks::crash_point("store.opened");
  TRY_ASSIGN(const int64_t last_pos, parts->database.integer("SELECT max(pos) FROM frame"));
  parts->last_pos = static_cast<Pos>(last_pos);
  parts->checkpointer = std::make_unique<Checkpointer>(parts->database, options.checkpoint_pages);
  TRY_ASSIGN(parts->writer, Writer::create(parts->database, parts->last_pos));
  TRY_ASSIGN(parts->readers, open_readers(path, options.readers));
  parts->thread.emplace();
  return std::unique_ptr<SqliteStore>(new SqliteStore(std::move(parts)));
}

SqliteStore::SqliteStore(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
SqliteStore::~SqliteStore() = default;

SqliteStore::Parts::~Parts() {
  thread.reset();
  readers.reset();
  const bool is_sound = writer && !writer->is_stopped();
  writer.reset();
  checkpointer.reset();
  if (is_sound && is_synced) close_with_empty_log(std::move(database));
}

void SqliteStore::Parts::commit(const Batch& batch, const std::function<void(CommitResult)>& done) {
  CommitResult result = writer->commit(batch);
  const bool durable = result.kind == CommitResult::Kind::kDurable;
  {
    const std::lock_guard lock(stats_mutex);
    stats.commits += durable;
    stats.frames += durable ? batch.frames.size() : 0;
    stats.refused += result.kind == CommitResult::Kind::kRefused;
  }
  done(std::move(result));  // the batch may be gone
  if (durable) checkpoint();
}

// After `done`: nobody waits for it. If it fails, the next commit says so.
void SqliteStore::Parts::checkpoint() {
  Status moved = checkpointer->after_commit();
  if (!moved) writer->stop(std::move(moved).error());
  const std::lock_guard lock(stats_mutex);
  stats.checkpoints = checkpointer->checkpoints();
  stats.log_pages = static_cast<uint64_t>(checkpointer->pages());
}

void SqliteStore::commit(const Batch& batch, std::function<void(CommitResult)> done) {
  if (batch.frames.size() <= kCommitHereFramesMax && !parts_->thread->is_busy()) {
    return parts_->commit(batch, done);
  }
  parts_->thread->put(
      [parts = parts_.get(), &batch, done = std::move(done)] { parts->commit(batch, done); });
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
  const std::lock_guard lock(parts_->stats_mutex);
  return parts_->stats;
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
Result<TaskRows> SqliteStore::rows_of(const TaskId& id) {
  return parts_->readers->with([&](Reader& reader) { return reader.rows_of(id); });
}
Result<std::vector<Frame>> SqliteStore::frames_as_they_are(const TaskId& id, Seq from_seq,
                                                           size_t max_bytes) {
  return parts_->readers->with(
      [&](Reader& reader) { return reader.frames_as_they_are(id, from_seq, max_bytes); });
}
Result<ScrubPage> SqliteStore::scrub(const std::string& cursor, size_t rows_max) {
  return parts_->readers->with([&](Reader& reader) { return reader.scrub(cursor, rows_max); });
}
Result<std::optional<IdempotencyRow>> SqliteStore::idempotency(const std::string& tenant,
                                                               const std::string& route,
                                                               const std::string& key) {
  return parts_->readers->with(
      [&](Reader& reader) { return reader.idempotency(tenant, route, key); });
}
Result<std::vector<InterruptRow>> SqliteStore::interrupts(const InterruptQuery& query) {
  return parts_->readers->with([&](Reader& reader) { return reader.interrupts(query); });
}
Result<std::vector<TimerRow>> SqliteStore::timers_due(int64_t until_ms, size_t limit) {
  return parts_->readers->with([&](Reader& reader) { return reader.timers_due(until_ms, limit); });
}
Result<std::vector<TaskId>> SqliteStore::runnable(std::optional<TaskId> after, size_t limit) {
  return parts_->readers->with([&](Reader& reader) { return reader.runnable(after, limit); });
}
Result<std::vector<Frame>> SqliteStore::frames_after(Pos after, size_t max_bytes) {
  return parts_->readers->with(
      [&](Reader& reader) { return reader.frames_after(after, max_bytes); });
}
Result<StoreCounts> SqliteStore::counts(int64_t now_ms) {
  return parts_->readers->with([&](Reader& reader) { return reader.counts(now_ms); });
}
Result<std::vector<KeptRow>> SqliteStore::kept(const std::string& kind,
                                               const std::optional<KeptRow>& after, size_t limit) {
  return parts_->readers->with([&](Reader& reader) { return reader.kept(kind, after, limit); });
}

}  // namespace perdure
