#include "adapters/sqlite/closed_store.h"

#include <fmt/core.h>

#include <utility>

#include "adapters/sqlite/doctor.h"
#include "adapters/sqlite/lists.h"
#include "adapters/sqlite/schema.h"
#include "adapters/sqlite/vfs.h"
#include "base/assert.h"
#include "ports/row_digest.h"

namespace perdure {
namespace {

constexpr const char* kIds = "SELECT id FROM task WHERE id > ? ORDER BY id LIMIT ?";
constexpr const char* kPlace = R"(
SELECT (SELECT count(*) FROM frame WHERE frame.task = task.key),
  (SELECT count(*) FROM frame WHERE frame.task = task.key AND frame.tenant <> task.tenant),
  head.seq, head.chain
FROM task LEFT JOIN head ON head.task = task.key WHERE task.id = ?)";
constexpr const char* kKey = "SELECT key FROM task WHERE id = ?";
constexpr const char* kSetHead =
    "INSERT INTO head(task, seq, chain) VALUES(?,?,?) "
    "ON CONFLICT DO UPDATE SET seq = excluded.seq, chain = excluded.chain";
constexpr const char* kDropHead = "DELETE FROM head WHERE task = ?";
constexpr const char* kSetTenant =
    "UPDATE frame SET tenant = (SELECT tenant FROM task WHERE key = frame.task) WHERE task = ?1 "
    "AND tenant <> (SELECT tenant FROM task WHERE key = ?1)";

}  // namespace

Result<std::unique_ptr<ClosedSqlite>> ClosedSqlite::open(DataDir locked, Use use) {
  const std::string path = locked.database_path();
  TRY_ASSIGN(const int64_t format, inspect_format(path));
  if (format != kStoreFormat) {
    return fail(Code::kUnsupported,
                fmt::format("{} has format {}, whose rows have no digests: the next start of the "
                            "server raises it to format {}",
                            path, format, kStoreFormat));
  }
  const bool is_to_mend = use == Use::kMend;
  TRY_ASSIGN(Database database, is_to_mend
                                    ? Database::open(path, Database::Mode::kWrite, kProcessVfs)
                                    : Database::open(path, Database::Mode::kInspect));
  if (is_to_mend) TRY_STATUS(database.exec("PRAGMA synchronous=FULL"));
  TRY_ASSIGN(auto reader, Reader::over(std::move(database)));
  std::unique_ptr<ClosedSqlite> store(new ClosedSqlite(std::move(locked), std::move(reader)));
  TRY_STATUS(store->prepare(use));
  return store;
}

Status ClosedSqlite::prepare(Use use) {
  auto meta = read_meta(database());
  if (meta) {
    meta_ = std::move(*meta);
  } else if (use == Use::kMend) {
    return tl::unexpected(std::move(meta).error());
  }
  TRY_ASSIGN(ids_, Statement::prepare(database(), kIds));
  TRY_ASSIGN(place_, Statement::prepare(database(), kPlace));
  TRY_ASSIGN(key_, Statement::prepare(database(), kKey));
  TRY_ASSIGN(set_head_, Statement::prepare(database(), kSetHead));
  TRY_ASSIGN(drop_head_, Statement::prepare(database(), kDropHead));
  TRY_ASSIGN(set_tenant_, Statement::prepare(database(), kSetTenant));
  if (use == Use::kInspect) return {};
  TRY_ASSIGN(const int64_t last_pos, database().integer("SELECT max(pos) FROM frame"));
  TRY_ASSIGN(writer_, Writer::create(database(), static_cast<Pos>(last_pos)));
  return {};
}

Result<std::vector<TaskId>> ClosedSqlite::task_ids(std::optional<TaskId> after, size_t limit) {
  const Run run(ids_);
  const std::string_view from = after ? after->view() : std::string_view();
  ids_.bind(Bytes{from}, static_cast<uint64_t>(limit));
  std::vector<TaskId> found;
  for (;;) {
    TRY_ASSIGN(const bool row, ids_.step());
    if (!row) return found;
    found.push_back(Columns(ids_).task());
  }
}

Result<JournalPlace> ClosedSqlite::place_of(const TaskId& id) {
  const Run run(place_);
  place_.bind(id);
  JournalPlace place;
  TRY_ASSIGN(const bool row, place_.step());
  if (!row) return place;
  Columns columns(place_);
  place.frames = columns.natural();
  place.other_tenant = columns.natural();
  place.has_head = !columns.is_null();
  if (!place.has_head) return place;
  place.head = static_cast<Seq>(columns.integer());
  place.chain = columns.integer();
  return place;
}

Status ClosedSqlite::commit(const Batch& rows) {
  PERDURE_ASSERT(writer_ && rows.frames.empty(), "journals are not mended");
  CommitResult done = writer_->commit(rows);
  if (done.kind == CommitResult::Kind::kDurable) return {};
  return fail(Code::kInternal, std::move(done.message));
}

Status ClosedSqlite::put_head(const TaskId& id, const Frame* newest) {
  PERDURE_ASSERT(writer_, "it was opened to be mended");
  int64_t key = 0;
  {
    const Run run(key_);
    key_.bind(id);
    TRY_ASSIGN(const bool row, key_.step());
    if (!row) return fail(Code::kNotFound, "there is no row of task " + id.to_string());
    key = Columns(key_).integer();
  }
  TRY_STATUS(database().exec("BEGIN IMMEDIATE"));
  set_tenant_.bind(key);
  TRY_STATUS(set_tenant_.run());
  if (newest != nullptr) {
    set_head_.bind(key, newest->last_seq(), short_chain(newest->chain));
    TRY_STATUS(set_head_.run());
  } else {
    drop_head_.bind(key);
    TRY_STATUS(drop_head_.run());
  }
  return database().exec("COMMIT");
}

Result<std::unique_ptr<ClosedStore>> inspect_store(const std::string& dir) {
  TRY_ASSIGN(DataDir locked, DataDir::lock_existing(dir));
  TRY_STATUS(locked.sign());
  return ClosedSqlite::open(std::move(locked), ClosedSqlite::Use::kInspect);
}

Status ClosedSqlite::mend_lists(const std::function<void(const std::string&)>& note) {
  return perdure::mend_lists(database(), note);
}

}  // namespace perdure
