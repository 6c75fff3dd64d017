#include "adapters/sqlite/log_check.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>

#include "adapters/sqlite/doctor.h"
#include "adapters/sqlite/sqlite_store.h"
#include "store/sample.h"
#include "temporary_dir.h"

namespace perdure::store_test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

constexpr uint64_t kCommits = 6;
constexpr size_t kFrameBytes = 24 + 4096;

std::string read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

void write(const std::string& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

// A store as SIGKILL leaves it: `kCommits` tasks, a commit each, all of them in the log.
class LogCheckTest : public testing::Test {
 protected:
  LogCheckTest() {
    const test::TemporaryDir made;
    auto store = open(made.path());
    for (uint64_t i = 1; i <= kCommits; ++i) {
      if (i == kCommits) fs::copy(made.path(), dir_.path());  // without the last
      const CommitResult done = commit(*store, creation(task_id(i), "acme", i, store->epoch()));
      EXPECT_EQ(done.kind, CommitResult::Kind::kDurable) << done.message;
    }
    before_last_ = check(dir_.path()).whole_frames;
    log_ = read(made.path() + "/perdure.db-wal");
    write(database() + "-wal", log_);
    whole_ = check(dir_.path()).whole_frames;
    EXPECT_LT(before_last_, whole_);
  }

  static Result<std::unique_ptr<SqliteStore>> try_open(const std::string& dir) {
    SqliteOptions options;
    options.dir = dir;
    options.log_bytes = 1 << 19;
    return SqliteStore::open(options);
  }
  static std::unique_ptr<SqliteStore> open(const std::string& dir) {
    auto opened = try_open(dir);
    EXPECT_TRUE(opened) << opened.error().message;
    return std::move(*opened);
  }
  static LogCheck check(const std::string& dir) {
    const auto checked = check_log(dir + "/perdure.db");
    EXPECT_TRUE(checked) << checked.error().message;
    return checked.value_or(LogCheck{});
  }
  std::string database() const { return dir_.path() + "/perdure.db"; }
  size_t at_frame(uint64_t number) const { return 32 + number * kFrameBytes; }
  void put_log(std::string bytes) const { write(database() + "-wal", bytes); }
  uint64_t tasks() const {
    TaskQuery all;
    all.tenant = "acme";
    return open(dir_.path())->tasks(all)->size();
  }

  test::TemporaryDir dir_;
  std::string log_;
  uint64_t whole_ = 0;        // frames
  uint64_t before_last_ = 0;  // of them, without the last commit
};

TEST_F(LogCheckTest, ASoundLogIsWhole) {
  EXPECT_EQ(check(dir_.path()).lost_commits, 0u);
  EXPECT_EQ(tasks(), kCommits);
  EXPECT_EQ(check(dir_.path() + "/missing").whole_frames, 0u);
  for (const std::string& grown : {std::string(), std::string(9000, '\0')}) {
    put_log(grown);
    EXPECT_EQ(check(dir_.path()).lost_commits, 0u);
  }
}

TEST_F(LogCheckTest, AFlippedByteBeforeTheLastCommitIsDamage) {
  for (uint64_t frame = 0; frame < before_last_; ++frame) {
    // Page, size after a commit, salts, sums, content.
    for (const size_t offset : {0, 3, 4, 7, 8, 15, 16, 20, 23, 24, 2000, 4119}) {
      const size_t at = at_frame(frame) + offset;
      std::string hurt = log_;
      hurt[at] = static_cast<char>(hurt[at] ^ 0x10);
      put_log(hurt);
      const LogCheck found = check(dir_.path());
      EXPECT_GT(found.lost_commits, 0u) << "frame " << frame << ", byte " << offset;
      EXPECT_EQ(found.whole_frames, frame);
      EXPECT_EQ(found.damage_at_byte, at_frame(frame));
    }
  }
}

// It may as well have been a frame in the middle of the last commit.
TEST_F(LogCheckTest, AMarkThatIsGoneIsSeenByTheOneBehindIt) {
  std::string hurt = log_;
  for (uint64_t frame = before_last_; frame-- > 0;) {
    if (log_.substr(at_frame(frame) + 4, 4) == std::string(4, '\0')) continue;
    hurt = log_;
    hurt.replace(at_frame(frame) + 4, 4, 4, '\0');
    put_log(hurt);
    EXPECT_EQ(check(dir_.path()).lost_commits > 0, frame + 1 < before_last_) << frame;
  }
  EXPECT_NE(hurt, log_);
}

TEST_F(LogCheckTest, ADamagedHeaderIsDamage) {
  put_log(std::string(32, '\0') + log_.substr(32));
  EXPECT_GT(check(dir_.path()).lost_commits, 0u) << "all of it";
  for (size_t at = 0; at < 32; ++at) {
    std::string hurt = log_;
    hurt[at] = static_cast<char>(hurt[at] ^ 0x10);
    put_log(hurt);
    EXPECT_GT(check(dir_.path()).lost_commits, 0u) << at;
  }
}

// Its checksum is right, and it asks for pages that SQLite does not make.
TEST_F(LogCheckTest, AHeaderThatMakesNoSenseIsDamage) {
  const auto word = [](const std::string& bytes, size_t at) {
    uint32_t value = 0;
    for (size_t i = 4; i-- > 0;) value = value << 8 | static_cast<unsigned char>(bytes[at + i]);
    return value;
  };
  std::string hurt = log_;
  hurt.replace(8, 4, 4, '\xff');
  uint32_t first = 0;
  uint32_t second = 0;
  for (size_t at = 0; at < 24; at += 8) {
    first += word(hurt, at) + second;
    second += word(hurt, at + 4) + first;
  }
  for (int i = 0; i < 4; ++i) {
    hurt[24 + i] = static_cast<char>(first >> (24 - 8 * i));
    hurt[28 + i] = static_cast<char>(second >> (24 - 8 * i));
  }
  put_log(hurt);
  EXPECT_GT(check(dir_.path()).lost_commits, 0u);
}

// What a loss of power leaves of the last commit: any of its sectors.
TEST_F(LogCheckTest, ALastCommitThatIsTornIsNoDamage) {
  const test::TemporaryDir other;
  const std::string before = log_.substr(0, at_frame(before_last_));
  const size_t sectors = (at_frame(whole_) - before.size()) / 512 + 1;
  uint64_t random = 1;
  for (int round = 0; round < 300; ++round) {
    std::string torn = log_;
    for (size_t sector = 0; sector < sectors; ++sector) {
      random = random * 6364136223846793005u + 1442695040888963407u;
      const size_t at = before.size() + sector * 512;
      if ((random >> 40) % 2 == 0 && at + 512 <= torn.size()) torn.replace(at, 512, 512, '\0');
    }
    put_log(torn);
    const LogCheck found = check(dir_.path());
    ASSERT_EQ(found.lost_commits, 0u) << "round " << round;
    ASSERT_GE(found.whole_frames, before_last_);
  }
}

// Two crashes: the second commit was written over the beginning of what the first left, and torn
// too.
TEST_F(LogCheckTest, WhatACrashLeftBehindALaterOneIsNoDamage) {
  int tried = 0;
  for (uint64_t torn = before_last_; torn + 1 < whole_; ++torn, ++tried) {
    std::string first = log_;
    first.replace(at_frame(torn), 512, 512, '\0');
    put_log(first);
    ASSERT_EQ(tasks(), kCommits - 1);
    const std::string second = read(database() + "-wal");  // with the next incarnation, over it
    EXPECT_EQ(check(dir_.path()).lost_commits, 0u) << torn;
    for (uint64_t frame = before_last_; frame < whole_; ++frame) {
      std::string mixed = second;
      mixed.replace(at_frame(frame), 512, 512, '\0');
      put_log(mixed);
      EXPECT_EQ(check(dir_.path()).lost_commits, 0u) << torn << " " << frame;
    }
  }
  EXPECT_GT(tried, 2);
}

// Damage to what the database already has would bring back older pages.
TEST_F(LogCheckTest, AStoreThatWasClosedHasNothingInItsLog) {
  EXPECT_EQ(tasks(), kCommits);
  const std::string closed = read(database() + "-wal");
  EXPECT_TRUE(closed.starts_with("perdure: emptied"));
  std::string hurt = closed;
  for (uint64_t frame = 0; frame < whole_; ++frame) hurt[at_frame(frame) + 100] ^= 1;
  put_log(hurt);
  EXPECT_TRUE(examine_store(dir_.path(), nullptr)->healthy());
  // The header of what was written next was lost, and only that.
  open(dir_.path());
  put_log(closed.substr(0, 32) + log_.substr(32));
  EXPECT_EQ(check(dir_.path()).lost_commits, 0u) << "its own frames";
  std::string later = log_;
  for (uint64_t frame = 0; frame < whole_; ++frame) later[at_frame(frame) + 8] ^= 1;
  put_log(closed.substr(0, 32) + later.substr(32));
  EXPECT_GT(check(dir_.path()).lost_commits, 0u) << "those of a later log";
}

TEST_F(LogCheckTest, ADamagedLogIsRefusedUntilTheLossIsAccepted) {
  std::string hurt = log_;
  const uint64_t frame = before_last_ / 2;
  hurt[at_frame(frame) + 100] = static_cast<char>(hurt[at_frame(frame) + 100] ^ 1);
  put_log(hurt);
  const auto refused = try_open(dir_.path());
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::kCorrupt);
  EXPECT_THAT(refused.error().message, HasSubstr(fmt::format("at byte {}", at_frame(frame))));
  EXPECT_THAT(refused.error().message, HasSubstr("--forget-lost-commits"));
  const auto examined = examine_store(dir_.path(), nullptr);
  ASSERT_TRUE(examined);
  EXPECT_FALSE(examined->healthy());
  EXPECT_EQ(read(database() + "-wal"), hurt) << "looking changes nothing";

  const auto forgotten = forget_lost_commits(dir_.path());
  ASSERT_TRUE(forgotten) << forgotten.error().message;
  EXPECT_GT(*forgotten, 0u);
  EXPECT_TRUE(examine_store(dir_.path(), nullptr)->healthy());
  EXPECT_LT(tasks(), kCommits);
  EXPECT_EQ(forget_lost_commits(dir_.path()).error().code, Code::kNotFound);
}

}  // namespace
}  // namespace perdure::store_test
