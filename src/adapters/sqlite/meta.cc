#include "adapters/sqlite/meta.h"

#include <fmt/core.h>

#include <optional>

#include "base/log.h"
#include "ports/row_digest.h"

namespace perdure {
namespace {

constexpr size_t kSecretBytes = 32;

struct Found {
  std::string secret;  // empty: there is none that can be believed
  std::optional<uint64_t> incarnation;
};

bool is_secret(const Columns& columns, const std::string& secret, int64_t digest) {
  return columns.ok() && secret.size() == kSecretBytes && digest == digest_of_secret(secret);
}

Result<Found> read_first(Database& database) {
  TRY_ASSIGN(Statement meta,
             Statement::prepare(
                 database, "SELECT secret, digest, incarnation, incarnation_digest FROM meta"));
  Found found;
  TRY_ASSIGN(const bool row, meta.step());
  if (!row) return found;
  Columns secret_columns(meta);
  std::string secret = secret_columns.bytes();
  if (is_secret(secret_columns, secret, secret_columns.integer())) found.secret = std::move(secret);
  Columns columns(meta, 2);
  const uint64_t incarnation = columns.natural();
  const int64_t digest = columns.integer();
  if (columns.ok() && digest == digest_of_incarnation(incarnation)) found.incarnation = incarnation;
  return found;
}

Result<std::string> read_copy(Database& database) {
  TRY_ASSIGN(Statement copy, Statement::prepare(database, "SELECT secret, digest FROM meta_copy"));
  TRY_ASSIGN(const bool row, copy.step());
  if (!row) return std::string();
  Columns columns(copy);
  std::string secret = columns.bytes();
  return is_secret(columns, secret, columns.integer()) ? std::move(secret) : std::string();
}

Result<uint64_t> newest_incarnation(Database& database) {
  TRY_ASSIGN(const int64_t epoch,
             database.integer("SELECT epoch FROM frame ORDER BY pos DESC LIMIT 1"));
  return static_cast<uint64_t>(epoch) >> 32;
}

Status put_incarnation(Database& database, uint64_t incarnation) {
  TRY_ASSIGN(Statement put,
             Statement::prepare(database,
                                "INSERT INTO meta(one, incarnation, secret, incarnation_digest) "
                                "VALUES(1, ?, x'', ?) ON CONFLICT DO UPDATE SET "
                                "incarnation = excluded.incarnation, "
                                "incarnation_digest = excluded.incarnation_digest"));
  put.bind(incarnation, digest_of_incarnation(incarnation));
  return put.run();
}

// The newest frame that is there.
struct Newest {
  Pos pos = 0;
  int64_t chain = 0;
};

Result<Newest> newest_frame(Database& database) {
  TRY_ASSIGN(
      Statement select,
      Statement::prepare(database, "SELECT pos, chain FROM frame ORDER BY pos DESC LIMIT 1"));
  Newest newest;
  TRY_ASSIGN(const bool row, select.step());
  if (!row) return newest;
  Columns columns(select);
  newest.pos = columns.natural();
  newest.chain = short_chain(columns.hash());
  return newest;  // a chain that is no chain fits no mark
}

}  // namespace

Result<StoreMeta> read_meta(Database& database) {
  TRY_ASSIGN(const Found first, read_first(database));
  TRY_ASSIGN(const std::string copy, read_copy(database));
  if (first.secret.empty() && copy.empty()) {
    return fail(Code::kCorrupt,
                fmt::format("database {}: the secret of the store and its copy are damaged; the "
                            "keys of calls that were sent cannot be made again: restore a backup",
                            database.path()));
  }
  if (!first.secret.empty() && !copy.empty() && first.secret != copy) {
    return fail(Code::kCorrupt,
                fmt::format("database {}: the secret of the store and its copy differ; restore a "
                            "backup",
                            database.path()));
  }
  StoreMeta meta;
  meta.secret = first.secret.empty() ? copy : first.secret;
  meta.one_secret = first.secret.empty() || copy.empty();
  if (first.incarnation) {
    meta.incarnation = *first.incarnation;
  } else {
    meta.is_guessed = true;
    TRY_ASSIGN(meta.incarnation, newest_incarnation(database));
  }
  return meta;
}

Result<StoreMeta> begin_incarnation(Database& database) {
  TRY_ASSIGN(StoreMeta meta, read_meta(database));
  if (meta.incarnation >= UINT32_MAX) {
    return fail(Code::kCorrupt,
                fmt::format("database {}: its table `meta` is damaged", database.path()));
  }
  ++meta.incarnation;
  if (meta.one_secret) {
    log(LogLevel::kError, "store.secret_damaged",
        {{"why", "one of the two copies of the store's secret is damaged"},
         {"now", "run `perdure doctor --repair` on the closed data directory"}});
  }
  TRY_STATUS(put_incarnation(database, meta.incarnation));
  return meta;
}

Status repair_meta(Database& database, const StoreMeta& meta) {
  TRY_ASSIGN(Statement first,
             Statement::prepare(database,
                                "INSERT INTO meta(one, incarnation, secret, digest, "
                                "incarnation_digest) VALUES(1, ?, ?, ?, ?) ON CONFLICT DO UPDATE "
                                "SET incarnation = excluded.incarnation, secret = excluded.secret, "
                                "digest = excluded.digest, "
                                "incarnation_digest = excluded.incarnation_digest"));
  first.bind(meta.incarnation, Bytes{meta.secret}, digest_of_secret(meta.secret),
             digest_of_incarnation(meta.incarnation));
  TRY_STATUS(first.run());
  TRY_ASSIGN(Statement copy,
             Statement::prepare(database,
                                "INSERT INTO meta_copy VALUES(1, ?, ?) ON CONFLICT DO UPDATE SET "
                                "secret = excluded.secret, digest = excluded.digest"));
  copy.bind(Bytes{meta.secret}, digest_of_secret(meta.secret));
  return copy.run();
}

Status check_mark(Database& database) {
  TRY_ASSIGN(const Newest newest, newest_frame(database));
  TRY_ASSIGN(Statement mark,
             Statement::prepare(database, "SELECT seq, chain FROM head WHERE task = 0"));
  TRY_ASSIGN(const bool row, mark.step());
  if (!row && newest.pos == 0) return {};  // nothing was committed yet
  Pos pos = 0;
  int64_t chain = 0;
  if (row) {
    Columns columns(mark);
    pos = columns.natural();
    chain = columns.integer();
    if (!columns.ok()) pos = 0;
  }
  if (row && pos == newest.pos && chain == newest.chain) return {};
  // The frame that is gone was the newest of an open task: that task tells of it.
  TRY_ASSIGN(Statement owner,
             Statement::prepare(database, "SELECT 1 FROM head WHERE task <> 0 AND chain = ?"));
  owner.bind(chain);
  TRY_ASSIGN(const bool owned, owner.step());
  if (row && owned && pos >= newest.pos && chain != newest.chain) return {};
  return fail(Code::kCorrupt,
              fmt::format("database {}: the newest commit was at position {}, and the newest frame "
                          "stands at {}: commits at the end are lost, or their mark is damaged. "
                          "What was sent for them would be sent again: restore a backup, or run "
                          "`perdure doctor --forget-lost-commits` on the data directory",
                          database.path(), pos, newest.pos));
}

Status renew_mark(Database& database) {
  TRY_ASSIGN(const Newest newest, newest_frame(database));
  if (newest.pos == 0) return database.exec("DELETE FROM head WHERE task = 0");
  TRY_ASSIGN(Statement put, Statement::prepare(database,
                                               "INSERT INTO head VALUES(0, ?, ?) ON CONFLICT DO "
                                               "UPDATE SET seq = excluded.seq, "
                                               "chain = excluded.chain"));
  put.bind(newest.pos, newest.chain);
  return put.run();
}

}  // namespace perdure
