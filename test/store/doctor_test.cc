#include "adapters/sqlite/doctor.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sqlite3.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "adapters/files/file_blobs.h"
#include "adapters/sqlite/sqlite_store.h"
#include "store/sample.h"
#include "temporary_dir.h"

namespace perdure::store_test {
namespace {

namespace fs = std::filesystem;
using testing::Contains;
using testing::HasSubstr;

constexpr uint64_t kTasks = 8;
constexpr uint64_t kFramesPerTask = 4;

class DoctorTest : public testing::Test {
 protected:
  DoctorTest() {
    auto store = open();
    std::vector<Frame> last;
    for (uint64_t i = 1; i <= kTasks; ++i) {
      Batch batch = creation(task_id(i), i % 2 ? "acme" : "other", ++pos_, store->epoch());
      batch.idempotency.push_back({"acme", "r", std::to_string(i), sha256("x"), task_id(i), 1});
      batch.timers_set.push_back({task_id(i), "t", 5});
      batch.interrupts_opened.push_back({task_id(i),
                                         1,
                                         i % 2 ? "acme" : "other",
                                         InterruptReason::kQuestion,
                                         1,
                                         {"ann"},
                                         "shown"});
      batch.kept.push_back({"agent", "acme", "a" + std::to_string(i), "{}"});
      last.push_back(batch.frames[0]);
      write(*store, std::move(batch));
    }
    frames_ = last;
    for (uint64_t round = 1; round < kFramesPerTask; ++round) {
      for (Frame& frame : last) {
        Batch batch;
        frame = frame_after(&frame, frame.task, ++pos_, store->epoch(), 3, "step");
        batch.frames.push_back(frame);
        frames_.push_back(frame);
        write(*store, std::move(batch));
      }
    }
    store.reset();
    fs::remove(database_ + "-wal");  // emptied at the end: all of it is in the database
    fs::remove(database_ + "-shm");
  }

  std::unique_ptr<SqliteStore> open() {
    SqliteOptions options;
    options.dir = dir_.path();
    options.log_bytes = 1 << 16;
    auto opened = SqliteStore::open(options);
    EXPECT_TRUE(opened) << opened.error().message;
    return std::move(*opened);
  }
  void write(Store& store, Batch batch) {
    const CommitResult result = commit(store, std::move(batch));
    ASSERT_EQ(result.kind, CommitResult::Kind::kDurable) << result.message;
  }
  StoreReport examine(Blobs* blobs = nullptr) {
    auto report = examine_store(dir_.path(), blobs);
    EXPECT_TRUE(report) << report.error().message;
    return report ? *report : StoreReport{};
  }
  std::string content() const {
    std::ifstream file(database_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void replace(const std::string& bytes) const {
    std::ofstream(database_, std::ios::binary | std::ios::trunc) << bytes;
  }

  test::TemporaryDir dir_;
  const std::string database_ = dir_.path() + "/perdure.db";
  std::vector<Frame> frames_;
  Pos pos_ = 0;
};

TEST_F(DoctorTest, AHealthyStoreIsCountedAndLeftAlone) {
  const std::string before = content();
  const StoreReport report = examine();
  EXPECT_EQ(report.problems, std::vector<std::string>{});
  EXPECT_TRUE(report.healthy());
  EXPECT_EQ(report.tasks, kTasks);
  EXPECT_EQ(report.frames, kTasks * kFramesPerTask);
  EXPECT_EQ(report.records, kTasks * (2 + 3 * (kFramesPerTask - 1)));
  EXPECT_EQ(content(), before);
  EXPECT_FALSE(fs::exists(database_ + "-shm"));
}

TEST_F(DoctorTest, WhatStandsInTheLogOnlyIsExaminedAsWell) {
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(database_.c_str(), &other), SQLITE_OK);
  sqlite3_db_config(other, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, nullptr);
  ASSERT_EQ(sqlite3_exec(other, "DELETE FROM frame WHERE pos = 1", nullptr, nullptr, nullptr), 0);
  sqlite3_close(other);
  EXPECT_FALSE(examine().healthy());
}

TEST_F(DoctorTest, AStoreThatIsOpenIsNotExamined) {
  const auto store = open();
  const auto report = examine_store(dir_.path(), nullptr);
  ASSERT_FALSE(report);
  EXPECT_EQ(report.error().code, Code::kConflict);
  EXPECT_THAT(report.error().message, HasSubstr(fmt::format("process {}", getpid())));
}

TEST_F(DoctorTest, WithoutAStoreThereIsNothingToExamine) {
  const test::TemporaryDir empty;
  EXPECT_EQ(examine_store(empty.path(), nullptr).error().code, Code::kNotFound);
  EXPECT_FALSE(examine_store(empty.path() + "/missing", nullptr));
}

// What a power loss leaves when it comes before the first table is durable.
TEST_F(DoctorTest, AStoreThatWasNeverFinishedIsNoDamage) {
  const test::TemporaryDir dir;
  sqlite3* cut = nullptr;
  ASSERT_EQ(sqlite3_open((dir.path() + "/perdure.db").c_str(), &cut), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(cut, "PRAGMA journal_mode=WAL", nullptr, nullptr, nullptr), SQLITE_OK);
  sqlite3_close(cut);
  ASSERT_GT(fs::file_size(dir.path() + "/perdure.db"), 0u);
  EXPECT_EQ(examine_store(dir.path(), nullptr).error().code, Code::kNotFound);
}

TEST_F(DoctorTest, EveryFlippedByteOfAFrameIsFoundAndItsTaskNamed) {
  const std::string good = content();
  size_t flips = 0;
  for (size_t i = 0; i < frames_.size(); i += 5) {
    const Frame& frame = frames_[i];
    const std::string stored = std::string(frame.chain.view()) + frame.body;
    const size_t at = good.find(stored);
    ASSERT_NE(at, std::string::npos) << i;
    for (size_t offset = 0; offset < stored.size(); offset += 7, ++flips) {
      std::string bad = good;
      bad[at + offset] = static_cast<char>(bad[at + offset] ^ 0x20);
      replace(bad);
      EXPECT_THAT(examine().problems, Contains(HasSubstr(frame.task.to_string())))
          << "frame " << i << ", byte " << offset;
    }
  }
  EXPECT_GT(flips, 100u);
}

TEST_F(DoctorTest, FlipsAnywhereAreFoundOrHarmlessAndNeverACrash) {
  const std::string good = content();
  size_t found = 0;
  for (size_t at = 0; at < good.size(); at += 509) {
    std::string bad = good;
    bad[at] = static_cast<char>(bad[at] ^ 0x41);
    replace(bad);
    const auto report = examine_store(dir_.path(), nullptr);
    found += !report || !report->healthy() ? 1 : 0;
  }
  EXPECT_GT(found, 0u);
  replace(good);
  EXPECT_TRUE(examine().healthy());
}

TEST_F(DoctorTest, RowsThatContradictEachOtherAreFound) {
  const std::vector<std::pair<std::string, std::string>> edits = {
      {"DELETE FROM frame WHERE pos = 9", "is expected and the next frame begins at"},
      {"DELETE FROM task WHERE key = 2", "a frame without a task"},
      {"DELETE FROM frame WHERE task = 3", "a task without frames: key 3"},
      {"DELETE FROM tenant", "a task of an unknown tenant"},
      {"UPDATE frame SET tenant = 3 - tenant WHERE pos = 4", "a frame of another tenant"},
      {"UPDATE task SET head = 99 WHERE key = 1", "ahead of its journal: key 1"},
      {"UPDATE task SET status = 3 WHERE key = 5", "its end than its row: key 5"},
      {"UPDATE task SET ended_seq = 2 WHERE key = 5", "its end than its row: key 5"},
      {"UPDATE frame SET epoch = epoch - 1 WHERE pos = 20", "its epoch is older"},
      {"UPDATE frame SET epoch = 9 << 32 WHERE pos = 30", "a newer epoch than the store"},
      {"UPDATE frame SET count = count + 1 WHERE pos = 20", "frame at sequence number"},
      {"UPDATE frame SET task = 3 - task WHERE task < 3 AND first_seq = 3",
       "the hash chain is broken"},
      {"INSERT INTO timer VALUES(zeroblob(16), 'x', 5, 0)", "a timer without its task"},
      {"UPDATE interrupt SET seq = 500 WHERE seq = 1", "at a record that its task does not have"},
      {"UPDATE interrupt SET tenant = 3 - tenant", "or of another tenant"},
      {"UPDATE idempotency SET task = 77 WHERE n = 1", "an idempotency row without its task"},
      {"UPDATE meta SET secret = x'00'", "one of the two copies of the secret of the store"},
      {"UPDATE meta_copy SET digest = digest + 1", "one of the two copies of the secret"},
      {"DELETE FROM meta_copy", "one of the two copies of the secret"},
      {"UPDATE meta SET incarnation = incarnation + 1", "how often the store was opened"},
      {"UPDATE meta SET incarnation_digest = 0", "how often the store was opened"},
      {"UPDATE task SET principal = principal || 'x' WHERE key = 2",
       "the row of task " + task_id(2).to_string() + " is not what was written"},
      {"UPDATE task SET digest = digest + 1 WHERE key = 2",
       "row of task " + task_id(2).to_string()},
      {"UPDATE tenant SET name = name || 'x' WHERE name = 'other'",
       "row of task " + task_id(2).to_string()},
      {"UPDATE timer SET due_ms = due_ms + 1",
       "the row of timer 't' of task " + task_id(8).to_string()},
      {"UPDATE timer SET digest = digest + 1",
       "row of timer 't' of task " + task_id(1).to_string()},
      {"UPDATE interrupt SET created_ms = 2",
       "row of the question " + InterruptId{task_id(3), 1}.to_string()},
      {"UPDATE idempotency SET request_hash = zeroblob(32) WHERE n = 4",
       "idempotency row 4 of task " + task_id(4).to_string()},
      {"UPDATE idempotency SET hash = zeroblob(16) WHERE n = 4", "its key is lost"},
      {"UPDATE kept SET value = '' WHERE name = 'a2'", "the row of agent 'a2' of tenant 'acme'"},
      {"UPDATE kept SET name = 'b' WHERE name = 'a2'", "the row of agent 'b' of tenant 'acme'"},
      {"UPDATE head SET seq = seq - 1 WHERE task = 6",
       "journal of " + task_id(6).to_string() + ": its newest frame ends at record"},
      {"UPDATE head SET chain = 0 WHERE task = 6", "not the end that was written"},
      {"DELETE FROM head WHERE task = 6",
       "journal of " + task_id(6).to_string() + ": the row that says where it ends is missing"},
      {"UPDATE head SET task = 60 WHERE task = 6", "the end of a journal without its task: key 60"},
      {"UPDATE head SET chain = 0 WHERE task = 0", "the newest commit was at position"},
      {"DELETE FROM head WHERE task = 0", "the newest commit was at position"},
      {"DELETE FROM meta", "`meta` is empty"},
  };
  const std::string good = content();
  for (const auto& [sql, expected] : edits) {
    replace(good);
    fs::remove(database_ + "-wal");
    sqlite3* other = nullptr;
    ASSERT_EQ(sqlite3_open(database_.c_str(), &other), SQLITE_OK);
    // The unique index is in the way of two that swap.
    const std::string script =
        sql.find("3 - task") == std::string::npos
            ? sql
            : "DROP INDEX frame_by_task; " + sql +
                  "; CREATE UNIQUE INDEX frame_by_task ON frame(task, first_seq)";
    ASSERT_EQ(sqlite3_exec(other, script.c_str(), nullptr, nullptr, nullptr), SQLITE_OK)
        << sqlite3_errmsg(other);
    sqlite3_close(other);
    EXPECT_THAT(examine().problems, Contains(HasSubstr(expected))) << sql;
  }
}

// A person has ended them as what they are.
TEST_F(DoctorTest, DamagedTasksThatWereGivenUpAreNoProblem) {
  sqlite3* other = nullptr;
  ASSERT_EQ(sqlite3_open(database_.c_str(), &other), SQLITE_OK);
  ASSERT_EQ(sqlite3_exec(other,
                         "UPDATE frame SET body = zeroblob(9) WHERE task = 2; "
                         "UPDATE frame SET tenant = 9 WHERE task = 2; "
                         "UPDATE task SET status = 4 WHERE key = 2",
                         nullptr, nullptr, nullptr),
            SQLITE_OK);
  sqlite3_close(other);
  EXPECT_GT(examine().problem_count, 3u);
  ExamineOptions options;
  options.given_up = {task_id(2)};
  EXPECT_EQ(examine_store(dir_.path(), nullptr, options)->problems, std::vector<std::string>());
}

TEST_F(DoctorTest, WhoFoldsJournalsSeesAllTasksAndTheirEnds) {
  const auto store = inspect_store(dir_.path());
  ASSERT_TRUE(store) << store.error().message;
  const auto first = (*store)->task_ids(std::nullopt, 5).value();
  const auto rest = (*store)->task_ids(first.back(), 5).value();
  EXPECT_EQ(first.size() + rest.size(), kTasks);
  const JournalPlace place = (*store)->place_of(task_id(1)).value();
  EXPECT_EQ(place.frames, kFramesPerTask);
  EXPECT_TRUE(place.has_head);
  EXPECT_EQ(place.head, 2 + 3 * (kFramesPerTask - 1));
  EXPECT_FALSE(examine_store(dir_.path(), nullptr)) << "it holds the directory";
}

TEST_F(DoctorTest, BlobsThatRecordsNameAreReadAndVerified) {
  const auto blobs = FileBlobs::open(dir_.path()).value();
  const std::string bytes(300'000, 'b');
  const Sha256 hash = sha256(bytes);
  ASSERT_TRUE(blobs->put("acme", hash, bytes));
  {
    const auto store = open();
    Noted noted;
    noted.note = Payload::blob(hash, bytes.size());
    const std::vector<Record> records = {{1, 1, noted}};
    Batch batch;
    batch.frames.push_back(encode_frame(task_id(99), store->epoch(), Sha256{}, records));
    batch.frames[0].pos = ++pos_;
    batch.tasks.push_back(task_row(task_id(99), "acme", 1));
    write(*store, std::move(batch));
  }
  EXPECT_TRUE(examine(blobs.get()).healthy());
  EXPECT_EQ(examine(blobs.get()).blobs, 1u);
  fs::path file;
  for (const auto& entry : fs::recursive_directory_iterator(dir_.path() + "/blobs")) {
    if (entry.is_regular_file()) file = entry.path();
  }
  std::fstream(file, std::ios::in | std::ios::out).put('x');
  EXPECT_THAT(examine(blobs.get()).problems,
              Contains(AllOf(HasSubstr(task_id(99).to_string()), HasSubstr(file.string()))));
  fs::remove(file);
  EXPECT_EQ(examine(blobs.get()).problem_count, 1u);
  EXPECT_TRUE(examine().healthy()) << "not asked about blobs";
}

}  // namespace
}  // namespace perdure::store_test
