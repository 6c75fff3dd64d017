// What only the store on disk can do or suffer.
#include "adapters/sqlite/sqlite_store.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <thread>

#include "adapters/sqlite/doctor.h"
#include "adapters/sqlite/schema.h"
#include "killed_child.h"
#include "store/sample.h"
#include "store/sqlite_rows.h"
#include "temporary_dir.h"

namespace perdure::store_test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using Commit = CommitResult::Kind;

SqliteOptions small(const std::string& dir) {
  SqliteOptions options;
  options.dir = dir;
  options.log_bytes = 1 << 16;
  options.checkpoint_pages = 12;
  return options;
}

std::unique_ptr<SqliteStore> open(const std::string& dir) {
  auto opened = SqliteStore::open(small(dir));
  EXPECT_TRUE(opened) << opened.error().message;
  return opened ? std::move(*opened) : nullptr;
}

// Another program's connection, which leaves what it wrote in the log.
void edit(const std::string& dir, const std::string& sql) {
  sqlite3* database = nullptr;
  ASSERT_EQ(sqlite3_open((dir + "/perdure.db").c_str(), &database), SQLITE_OK);
  sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  EXPECT_EQ(sqlite3_exec(database, sql.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
      << sqlite3_errmsg(database);
  sqlite3_close(database);
}

std::string content(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::map<std::string, Sha256> hashes(const std::string& dir) {
  std::map<std::string, Sha256> found;
  for (const auto& entry : fs::directory_iterator(dir)) {
    found[entry.path().filename()] = sha256(content(entry.path()));
  }
  return found;
}

class SqliteStoreTest : public testing::Test {
 protected:
  // Commits `count` tasks of one frame.
  void fill(Store& store, uint64_t count) {
    for (uint64_t i = 1; i <= count; ++i) {
      Batch batch = creation(task_id(i), "acme", store.last_pos() + i, store.epoch());
      ASSERT_EQ(commit(store, std::move(batch)).kind, Commit::kDurable);
    }
  }
  std::string refusal() {
    const auto opened = SqliteStore::open(small(dir_.path()));
    return opened ? "not refused" : opened.error().message;
  }

  test::TemporaryDir dir_;
};

TEST_F(SqliteStoreTest, IsOpenOnceAtATime) {
  auto store = open(dir_.path());
  EXPECT_THAT(refusal(), HasSubstr(fmt::format("in use by process {}", getpid())));
  store.reset();
  EXPECT_TRUE(open(dir_.path()));
}

TEST_F(SqliteStoreTest, ANewerFormatIsRefusedAndNothingIsChanged) {
  fill(*open(dir_.path()), 3);
  const std::string log = dir_.path() + "/perdure.db-wal";
  for (const bool in_log : {true, false}) {
    edit(dir_.path(), in_log ? fmt::format("PRAGMA user_version={}", kStoreFormat + 1)
                             : "PRAGMA journal_mode=WAL; PRAGMA wal_checkpoint(TRUNCATE)");
    if (!in_log) fs::remove(log);
    fs::remove(dir_.path() + "/perdure.db-shm");
    const auto before = hashes(dir_.path());
    EXPECT_THAT(refusal(), HasSubstr(fmt::format("has format {}, written by a newer version",
                                                 kStoreFormat + 1)));
    EXPECT_EQ(hashes(dir_.path()), before) << (in_log ? "in the log" : "in the database");
    const auto examined = examine_store(dir_.path(), nullptr);
    ASSERT_FALSE(examined);
    EXPECT_EQ(examined.error().code, Code::kUnsupported);
    EXPECT_EQ(hashes(dir_.path()), before);
  }
  edit(dir_.path(), fmt::format("PRAGMA user_version={}", kStoreFormat));
  EXPECT_TRUE(open(dir_.path())) << "it was only the number";
}

TEST_F(SqliteStoreTest, AnOlderFormatIsRaisedAndLosesNothing) {
  fill(*open(dir_.path()), 3);
  const std::string before = dump(read_rows(dir_.path() + "/perdure.db"));
  edit(dir_.path(),
       "DROP TABLE kept; DROP INDEX task_by_session; ALTER TABLE task DROP COLUMN session; "
       "DROP TABLE meta_copy; DROP TABLE head; ALTER TABLE meta DROP COLUMN digest; "
       "ALTER TABLE meta DROP COLUMN incarnation_digest; ALTER TABLE task DROP COLUMN digest; "
       "ALTER TABLE timer DROP COLUMN digest; ALTER TABLE interrupt DROP COLUMN digest; "
       "ALTER TABLE idempotency DROP COLUMN digest; DROP TABLE task_label; "
       "DROP TABLE interrupt_assignee; ALTER TABLE interrupt DROP COLUMN assignees; "
       "ALTER TABLE interrupt DROP COLUMN shown; PRAGMA user_version=1");
  const auto store = open(dir_.path());
  ASSERT_TRUE(store);
  EXPECT_EQ(dump(read_rows(dir_.path() + "/perdure.db")), before);
  Batch batch;
  batch.kept = {{"agent", "acme", "a", "1"}};
  EXPECT_EQ(commit(*store, std::move(batch)).kind, Commit::kDurable);
  EXPECT_EQ(store->kept("agent", std::nullopt, 10)->size(), 1u);
}

TEST_F(SqliteStoreTest, SomethingElsesDatabaseIsLeftAlone) {
  edit(dir_.path(), "CREATE TABLE theirs(x)");
  const auto before = hashes(dir_.path());
  EXPECT_THAT(refusal(), HasSubstr("is not a store of this program"));
  auto after = hashes(dir_.path());
  after.erase("lock");
  EXPECT_EQ(after, before);
}

TEST_F(SqliteStoreTest, ACreationThatWasCutShortBeginsAgain) {
  std::ofstream(dir_.path() + "/perdure.db").flush();
  EXPECT_TRUE(open(dir_.path()));
}

// The first page reached the disk in part; the rollback journal says that the file was empty.
TEST_F(SqliteStoreTest, ACreationThatLostPowerBeginsAgain) {
  const auto write = [](const std::string& path, const std::string& bytes) {
    std::ofstream(path, std::ios::binary) << bytes;
  };
  // https://www.sqlite.org/fileformat.html, section 3: magic, no records, a nonce, no pages before,
  // sectors of 512 bytes, pages of 4096.
  const std::string header = std::string("\xd9\xd5\x05\xf9\x20\xa1\x63\xd7", 8) +
                             std::string("\0\0\0\0nonc\0\0\0\0\0\0\x02\0\0\0\x10\0", 20);
  write(dir_.path() + "/perdure.db", std::string(512, 'x'));
  write(dir_.path() + "/perdure.db-journal", header + std::string(512 - header.size(), '\0'));
  EXPECT_TRUE(open(dir_.path()));
  EXPECT_FALSE(fs::exists(dir_.path() + "/perdure.db-journal"));
}

TEST_F(SqliteStoreTest, DamageIsAnErrorAndNoCrash) {
  fill(*open(dir_.path()), 40);
  fs::remove(dir_.path() + "/perdure.db-wal");  // all of it is in the database
  const std::string path = dir_.path() + "/perdure.db";
  const std::string good = content(path);
  int seen = 0;
  int tried = 0;
  const auto attempt = [&](const std::string& bytes) {
    std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
    fs::remove(path + "-wal");
    fs::remove(path + "-shm");
    ++tried;
    bool failed = false;
    const auto look = [&](const auto& answer) {
      if (answer) return;
      failed = true;
      EXPECT_THAT(answer.error().message, HasSubstr(path));
    };
    if (auto store = SqliteStore::open(small(dir_.path())); !store) {
      look(store);
    } else {
      look((*store)->tasks({"acme", {}, "", "", {}, 100}));
      look((*store)->frames(task_id(3), 1, 1 << 20));
      look((*store)->timers_due(INT64_MAX, 100));
      look((*store)->runnable(std::nullopt, 100));
      Batch batch = creation(task_id(99), "acme", (*store)->last_pos() + 1, (*store)->epoch());
      const CommitResult result = commit(**store, batch);
      if (result.kind == Commit::kFailed) {
        failed = true;
        EXPECT_NE(result.message, "");
        EXPECT_EQ(commit(**store, batch).message, result.message) << "and it stays failed";
      }
    }
    seen += failed ? 1 : 0;
  };
  attempt(std::string(8192, 'x'));
  EXPECT_EQ(seen, 1);
  for (const size_t size : {100, 4096, 8192, 20'000}) attempt(good.substr(0, size));
  EXPECT_EQ(seen, tried) << "a database that was cut short is noticed";
  for (size_t page = 0; page < good.size() / 4096; ++page) {
    std::string bytes = good;
    bytes.replace(page * 4096, 4096, std::string(4096, '\xA5'));
    attempt(bytes);
  }
  EXPECT_GT(seen, tried / 2);
}

// A file that may not grow: what a full disk looks like to a program, without filling one.
TEST_F(SqliteStoreTest, AFailureIsFinalAndLosesNothingThatWasAcknowledged) {
  const std::string acks = dir_.path() + "/acks";
  const pid_t child = fork();
  if (child == 0) {
    signal(SIGXFSZ, SIG_IGN);
    auto store = SqliteStore::open(small(dir_.path()));
    if (!store) _exit(2);
    rlimit limit{200'000, RLIM_INFINITY};
    setrlimit(RLIMIT_FSIZE, &limit);
    const auto write = [&](uint64_t i) {
      Batch batch = creation(task_id(i), "acme", i, (*store)->epoch());
      batch.tasks[0].metadata = std::string(20'000, 'm');
      return commit(**store, std::move(batch));
    };
    uint64_t i = 1;
    CommitResult result = write(i);
    for (; result.kind == Commit::kDurable && i < 100; result = write(++i)) {
      std::ofstream(acks, std::ios::app) << i << "\n";
    }
    if (result.kind != Commit::kFailed) _exit(3);
    if (result.message.find(dir_.path()) == std::string::npos) _exit(4);
    limit.rlim_cur = RLIM_INFINITY;
    setrlimit(RLIMIT_FSIZE, &limit);
    _exit(write(i + 1).kind == Commit::kFailed ? 0 : 5);
  }
  int status = 0;
  waitpid(child, &status, 0);
  ASSERT_TRUE(WIFEXITED(status));
  ASSERT_EQ(WEXITSTATUS(status), 0);
  uint64_t acknowledged = 0;
  for (std::ifstream file(acks); file >> acknowledged;) {
  }
  ASSERT_GT(acknowledged, 0u);
  fs::remove(acks);
  const auto examined = examine_store(dir_.path(), nullptr);
  ASSERT_TRUE(examined) << examined.error().message;
  EXPECT_EQ(examined->problems, std::vector<std::string>{});
  EXPECT_EQ(examined->tasks, acknowledged) << "nothing of what failed, all of what did not";
}

TEST_F(SqliteStoreTest, CountsWhatItDoes) {
  const auto store = open(dir_.path());
  fill(*store, 50);
  Batch again = creation(task_id(1), "acme", 51, store->epoch());
  ASSERT_EQ(commit(*store, std::move(again)).kind, Commit::kRefused);
  const StoreStats stats = store->stats();
  EXPECT_EQ(stats.commits, 50u);
  EXPECT_EQ(stats.frames, 50u);
  EXPECT_EQ(stats.refused, 1u);
  EXPECT_GE(stats.checkpoints, 5u);
  EXPECT_LE(stats.log_pages, 40u) << "the log begins anew after each checkpoint";
}

TEST_F(SqliteStoreTest, TheLogIsGrownOnceAndReused) {
  auto store = open(dir_.path());
  const std::string log = dir_.path() + "/perdure.db-wal";
  const auto size_bytes = fs::file_size(log);
  EXPECT_GE(size_bytes, small("").log_bytes);
  fill(*store, 50);
  EXPECT_LE(fs::file_size(log), 40 * 4200u + size_bytes);
  store.reset();
  EXPECT_GE(fs::file_size(log), size_bytes) << "kept at the end";
}

// Readers in the middle of a query while the writer commits and checkpoints.
TEST_F(SqliteStoreTest, ReadersSeeWholeCommitsOnly) {
  const auto store = open(dir_.path());
  fill(*store, 2);
  std::atomic<bool> writing{true};
  std::atomic<uint64_t> reads{0};
  const auto read = [&] {
    size_t longest = 0;
    do {
      // Both tasks grow in the same commits: the second is read later and cannot be shorter.
      const auto one = store->frames(task_id(1), 1, SIZE_MAX);
      const auto two = store->frames(task_id(2), 1, SIZE_MAX);
      ASSERT_TRUE(one && two);
      ASSERT_GE(one->size(), longest);
      ASSERT_GE(two->size(), one->size());
      longest = one->size();
      Sha256 chain;
      for (const Frame& frame : *one) {
        ASSERT_TRUE(verify_frame(frame, chain));
        chain = frame.chain;
      }
      ++reads;
    } while (writing);
  };
  std::thread first(read), second(read), third(read);
  std::vector<Frame> last;
  for (const uint64_t i : {1, 2}) last.push_back(store->frames(task_id(i), 1, 1)->at(0));
  Pos pos = 2;
  for (int i = 0; i < 300 || reads < 20; ++i) {
    Batch batch;
    for (Frame& frame : last) {
      frame = frame_after(&frame, frame.task, ++pos, store->epoch(), 1, "step");
      batch.frames.push_back(frame);
    }
    ASSERT_EQ(commit(*store, std::move(batch)).kind, Commit::kDurable);
  }
  writing = false;
  first.join();
  second.join();
  third.join();
  EXPECT_GT(store->stats().checkpoints, 0u);
}

#ifdef PERDURE_TEST_HOOKS
TEST(SqliteStoreChild, DISABLED_Write) {
  const std::string dir = std::getenv("PERDURE_TEST_DIR");
  const auto store = SqliteStore::open(small(dir));
  ASSERT_TRUE(store) << store.error().message;
  const int acks = ::open((dir + "/acks").c_str(), O_WRONLY | O_CREAT | O_APPEND, 0600);
  const uint64_t from = (*store)->last_pos() + 1;
  for (uint64_t i = from; i < from + 60; ++i) {
    Batch batch = creation(task_id(i), "acme", i, (*store)->epoch());
    batch.timers_set.push_back({task_id(i), "t", 5});
    ASSERT_EQ(commit(**store, std::move(batch)).kind, Commit::kDurable);
    ASSERT_EQ(::write(acks, "x", 1), 1);
  }
}

TEST_F(SqliteStoreTest, AProcessThatIsKilledLosesNothingThatItAcknowledged) {
  Epoch epoch = 0;
  for (const std::string point :
       {"store.opened:1", "store.in_transaction:1", "store.in_transaction:17",
        "store.before_checkpoint:2", "store.after_checkpoint:1", "store.after_checkpoint:2"}) {
    ASSERT_TRUE(test::killed_at(point, "SqliteStoreChild.DISABLED_Write", dir_.path())) << point;
    const auto examined = examine_store(dir_.path(), nullptr);
    ASSERT_TRUE(examined) << examined.error().message;
    EXPECT_EQ(examined->problems, std::vector<std::string>{}) << point;
    const auto store = open(dir_.path());
    std::error_code none;
    const auto size = fs::file_size(dir_.path() + "/acks", none);
    const uint64_t acknowledged = none ? 0 : size;
    const StoreRows rows = read_rows(dir_.path() + "/perdure.db");
    // The commit that was under way is durable or not; its acknowledgement was not written.
    EXPECT_GE(rows.tasks.size(), acknowledged) << point;
    EXPECT_LE(rows.tasks.size(), acknowledged + 1) << point;
    EXPECT_EQ(rows.frames.size(), rows.tasks.size()) << "all of a commit or nothing";
    EXPECT_EQ(rows.timers.size(), rows.tasks.size());
    fs::resize_file(dir_.path() + "/acks", rows.tasks.size(), none);
    EXPECT_GE(store->epoch(), epoch + (uint64_t{2} << 32)) << "the one that died had its own";
    epoch = store->epoch();
  }
}
#endif

}  // namespace
}  // namespace perdure::store_test
