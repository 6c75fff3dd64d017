// Bytes that changed at rest, column by column: whoever reads the row is told, nobody is told
// anything else than what was written, and the other rows are as they were.
#include <fmt/core.h>
#include <gtest/gtest.h>
#include <sqlite3.h>

#include <filesystem>

#include "adapters/sqlite/doctor.h"
#include "adapters/sqlite/reader.h"
#include "adapters/sqlite/sqlite_store.h"
#include "journal/frame.h"
#include "store/sample.h"
#include "temporary_dir.h"

namespace perdure::store_test {
namespace {

using test::TemporaryDir;

namespace fs = std::filesystem;

// Everything that a reader says of two tasks, as text: damage as such.
std::string all_of(StoreReader& store) {
  std::string out;
  const auto add = [&](const std::string& text) { out += text + "\n"; };
  for (const uint64_t number : {1, 2}) {
    const TaskId id = task_id(number);
    const auto row = store.task(id);
    add(row ? (*row ? fmt::format("{} {} {} {}", number, (*row)->tenant, to_string((*row)->status),
                                  (*row)->waiting_for)
                    : "none")
            : "damaged");
    Sha256 chain{};
    const auto frames = store.frames(id, 1, 1 << 20);
    if (!frames) add("damaged");
    for (const Frame& frame : frames.value_or(std::vector<Frame>())) {
      const bool follows = frame.previous == chain && decode_frame(frame);
      chain = frame.chain;
      add(follows ? fmt::format("frame {}", frame.first_seq) : "damaged");
    }
    const auto rows = store.rows_of(id);
    if (!rows) add("damaged");
    for (const TimerRow& timer : rows ? rows->timers : std::vector<TimerRow>()) {
      add(timer.damaged ? "damaged" : fmt::format("timer {} {}", timer.timer, timer.due_ms));
    }
    for (const InterruptRow& asked : rows ? rows->interrupts : std::vector<InterruptRow>()) {
      add(asked.damaged ? "damaged" : fmt::format("asked {} {}", asked.seq, asked.created_ms));
    }
    const auto key = store.idempotency("acme", "r", fmt::format("k{}", number));
    add(key ? (*key ? fmt::format("key of {}", (*key)->task.to_string()) : "none") : "damaged");
  }
  const auto kept = store.kept("agent", std::nullopt, 10);
  for (const KeptRow& row : kept.value_or(std::vector<KeptRow>())) {
    add(row.damaged ? "damaged" : fmt::format("kept {} {} {}", row.tenant, row.name, row.value));
  }
  return out;
}

// A store of two tasks with a row of every kind, closed.
class Damage : public testing::Test {
 protected:
  Damage() {
    auto store = open();
    for (const uint64_t number : {1, 2}) {
      Batch batch = creation(task_id(number), "acme", next_, store->epoch());
      ++next_;
      const Frame first = batch.frames[0];
      batch.idempotency.push_back(
          {"acme", "r", fmt::format("k{}", number), sha256("request"), task_id(number), 77});
      batch.timers_set.push_back({task_id(number), "wake", 123'456'789});
      batch.interrupts_opened.push_back({task_id(number),
                                         1,
                                         "acme",
                                         InterruptReason::kQuestion,
                                         99,
                                         {"ann", "bob"},
                                         "what is shown"});
      batch.kept.push_back({"agent", "acme", fmt::format("a/{}", number), "{\"version\":1}"});
      commit(*store, batch);
      Batch second;
      second.frames.push_back(
          frame_after(&first, task_id(number), next_++, store->epoch(), 3, "text"));
      commit(*store, second);
    }
    store.reset();
    fs::copy(dir_.path(), good_, fs::copy_options::recursive);
  }
  ~Damage() override { fs::remove_all(good_); }

  static void commit(Store& store, const Batch& batch) {
    store.commit(batch, [](const CommitResult& result) {
      ASSERT_EQ(result.kind, CommitResult::Kind::kDurable) << result.message;
    });
  }

  std::unique_ptr<SqliteStore> open() {
    SqliteOptions options;
    options.dir = dir_.path();
    options.log_bytes = 1 << 16;
    options.unsafe_no_sync = true;  // nothing here loses power
    auto opened = SqliteStore::open(options);
    error_ = opened ? std::string() : opened.error().message;
    return opened ? std::move(*opened) : nullptr;
  }

  void restore() {
    fs::remove_all(dir_.path());
    fs::copy(good_, dir_.path(), fs::copy_options::recursive);
  }

  sqlite3* connect() {
    sqlite3* database = nullptr;
    EXPECT_EQ(sqlite3_open((dir_.path() + "/perdure.db").c_str(), &database), SQLITE_OK);
    return database;
  }

  // The values of the first column, as SQL literals.
  std::vector<std::string> literals(const std::string& sql) {
    sqlite3* database = connect();
    sqlite3_stmt* statement = nullptr;
    EXPECT_EQ(sqlite3_prepare_v2(database, sql.c_str(), -1, &statement, nullptr), SQLITE_OK)
        << sqlite3_errmsg(database);
    std::vector<std::string> out;
    while (sqlite3_step(statement) == SQLITE_ROW) {
      out.emplace_back(reinterpret_cast<const char*>(sqlite3_column_text(statement, 0)));
    }
    sqlite3_finalize(statement);
    sqlite3_close(database);
    return out;
  }

  void run(const std::string& sql) {
    sqlite3* database = connect();
    char* error = nullptr;
    sqlite3_exec(database,
                 ("PRAGMA ignore_check_constraints=1; PRAGMA writable_schema=0; " + sql).c_str(),
                 nullptr, nullptr, &error);
    EXPECT_EQ(error, nullptr) << sql << ": " << (error == nullptr ? "" : error);
    sqlite3_free(error);
    sqlite3_exec(database, "PRAGMA wal_checkpoint(TRUNCATE)", nullptr, nullptr, nullptr);
    sqlite3_close(database);
  }

  test::TemporaryDir dir_;
  std::string good_ = dir_.path() + ".good";
  std::string error_;
  Pos next_ = 1;
};

struct Changed {
  const char* table;
  const char* row;  // a condition that names one row, of task 1 where it has one
  std::vector<const char*> columns;
  // What cannot be told apart from another row that was never written: not found, as it was asked
  // for by this very value.
  std::vector<const char*> hides = {};
};

// What a column says instead, for each of its bytes.
std::vector<std::string> other_values(const std::string& quoted) {
  std::vector<std::string> out;
  if (quoted.starts_with("X'") || quoted.starts_with("x'")) {
    for (size_t i = 2; i + 1 < quoted.size(); i += 6) {
      std::string other = quoted;
      other[i + 1] = other[i + 1] == '0' ? '1' : '0';
      out.push_back(std::move(other));
    }
  } else if (quoted.starts_with("'")) {
    for (size_t i = 1; i + 1 < quoted.size(); i += 3) {
      std::string other = quoted;
      if (other[i] == '\'') continue;
      other[i] = other[i] == 'x' ? 'y' : 'x';
      out.push_back(std::move(other));
    }
    if (out.empty()) out.emplace_back("'x'");
  } else {
    const int64_t number = std::stoll(quoted);
    for (const int shift : {0, 1, 7, 8, 16, 33, 62}) {
      out.push_back(std::to_string(number ^ int64_t{1} << shift));
    }
  }
  return out;
}

TEST_F(Damage, OfEveryColumnOfEveryRowIsSeen) {
  const std::string one = "task = (SELECT id FROM task WHERE key = 1)";
  const Changed kinds[] = {
      {"task", "key = 1", {"id",         "tenant",       "principal",      "status",
                           "phase",      "runnable",     "waiting_for",    "planner",
                           "agent",      "metadata",     "cost_micro_usd", "model_calls",
                           "tool_calls", "input_tokens", "output_tokens",  "created_ms",
                           "updated_ms", "head",         "ended_seq",      "session",
                           "digest"}},
      {"frame", "task = 1 AND first_seq = 1", {"first_seq", "count", "epoch", "chain", "body"}},
      {"frame", "task = 1 AND first_seq > 1", {"first_seq", "count", "epoch", "chain", "body"}},
      {"head", "task = 1", {"seq", "chain"}},
      {"timer", one.c_str(), {"task", "name", "due_ms", "digest"}},
      {"interrupt", one.c_str(), {"task", "seq", "tenant", "reason", "created_ms", "digest"}},
      {"idempotency", "n = 1", {"hash", "task", "request_hash", "created_ms", "digest"}},
      {"kept", "name = 'a/1'", {"kind", "tenant", "name", "value", "digest"}},
  };
  std::string whole;
  {
    auto store = open();
    whole = all_of(*store);
    ASSERT_EQ(whole.find("damaged"), std::string::npos) << whole;
  }
  size_t tried = 0;
  for (const Changed& kind : kinds) {
    for (const char* column : kind.columns) {
      restore();
      const auto values =
          literals(fmt::format("SELECT quote({}) FROM {} WHERE {}", column, kind.table, kind.row));
      ASSERT_EQ(values.size(), 1u) << kind.table << "." << column;
      for (const std::string& value : other_values(values.front())) {
        SCOPED_TRACE(fmt::format("{}.{} = {}", kind.table, column, value));
        restore();
        run(fmt::format("UPDATE OR IGNORE {} SET {} = {} WHERE {}", kind.table, column, value,
                        kind.row));
        const auto now = literals(
            fmt::format("SELECT quote({}) FROM {} WHERE {}", column, kind.table, kind.row));
        if (now == values) continue;  // another row has that key
        auto store = open();
        if (!store) continue;  // refused as a whole
        ++tried;
        const std::string seen = all_of(*store);
        EXPECT_NE(seen, whole);
        // Whatever a reader still believes, it was written so.
        size_t begin = 0;
        while (begin < seen.size()) {
          const size_t end = seen.find('\n', begin);
          const std::string line = seen.substr(begin, end - begin);
          EXPECT_TRUE(line == "damaged" || line == "none" ||
                      ("\n" + whole).find("\n" + line + "\n") != std::string::npos)
              << line;
          begin = end + 1;
        }
        // The other task is as it was.
        const std::string other = whole.substr(whole.find("2 acme"));
        const std::string rest = other.substr(0, other.find("kept"));
        EXPECT_NE(seen.find(rest), std::string::npos) << seen;
      }
    }
  }
  EXPECT_GT(tried, 200u);
}

TEST_F(Damage, ARowThatIsGoneOrAJournalThatEndsEarlyIsSeen) {
  for (const char* sql : {"DELETE FROM frame WHERE task = 1 AND first_seq > 1",
                          "DELETE FROM frame WHERE task = 1 AND first_seq = 1",
                          "DELETE FROM frame WHERE task = 1", "DELETE FROM head WHERE task = 1"}) {
    SCOPED_TRACE(sql);
    restore();
    run(sql);
    auto store = open();
    ASSERT_TRUE(store) << error_;
    const auto frames = store->frames(task_id(1), 1, 1 << 20);
    EXPECT_TRUE(!frames || frames->front().first_seq > 1);
    EXPECT_TRUE(store->frames(task_id(2), 1, 1 << 20));
  }
}

// The newest commit of all: the store itself knows where it stood.
TEST_F(Damage, ALostTailIsToldFromAnEnd) {
  run("DELETE FROM frame WHERE pos = 4");
  {
    auto store = open();
    ASSERT_TRUE(store) << "its task tells of it: " << error_;
    EXPECT_EQ(store->frames(task_id(2), 1, 1 << 20).error().code, Code::kCorrupt);
    EXPECT_TRUE(store->frames(task_id(1), 1, 1 << 20));
  }
  for (const char* sql :
       {"DELETE FROM frame WHERE pos = 4; UPDATE head SET seq = 1, chain = 0 WHERE task = 2",
        "DELETE FROM head WHERE task = 0", "UPDATE head SET chain = chain + 1 WHERE task = 0",
        "UPDATE head SET seq = seq + 1 WHERE task = 0"}) {
    SCOPED_TRACE(sql);
    restore();
    run(sql);
    EXPECT_FALSE(open());
    EXPECT_NE(error_.find("--forget-lost-commits"), std::string::npos) << error_;
    ASSERT_TRUE(forget_lost_commits(dir_.path()));
    EXPECT_TRUE(open()) << error_;
  }
}

TEST_F(Damage, TheSecretStandsTwice) {
  std::string secret = open()->secret();
  for (const char* sql : {"UPDATE meta SET secret = zeroblob(32)",
                          "UPDATE meta SET digest = digest + 1", "DELETE FROM meta",
                          "UPDATE meta_copy SET secret = zeroblob(32)", "DELETE FROM meta_copy"}) {
    SCOPED_TRACE(sql);
    restore();
    run(sql);
    {
      auto store = open();
      ASSERT_TRUE(store) << error_;
      EXPECT_EQ(store->secret(), secret);
    }
    EXPECT_FALSE(examine_store(dir_.path(), nullptr)->healthy());
  }
  restore();
  run("UPDATE meta SET secret = zeroblob(32); UPDATE meta_copy SET secret = zeroblob(32)");
  EXPECT_FALSE(open());
  EXPECT_NE(error_.find("restore a backup"), std::string::npos) << error_;
}

TEST_F(Damage, ADamagedIncarnationIsThatOfTheNewestFrame) {
  const Epoch epoch = open()->epoch();
  run("UPDATE meta SET incarnation = 1 << 31");
  auto store = open();
  ASSERT_TRUE(store) << error_;
  EXPECT_GE(store->epoch(), Epoch{2} << 32);
  EXPECT_LE(store->epoch(), epoch + (Epoch{2} << 32));
}

}  // namespace
}  // namespace perdure::store_test
