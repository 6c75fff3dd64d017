#include "adapters/files/snapshot_files.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "temporary_dir.h"

namespace perdure {
namespace {

namespace fs = std::filesystem;
using Kind = TaskSnapshot::Kind;

TaskSnapshot some_snapshot(uint64_t task, Kind kind, std::string body) {
  TaskSnapshot snapshot;
  snapshot.task = TaskId::make(1, 2, task);
  snapshot.kind = kind;
  snapshot.seq = 300;
  snapshot.chain = sha256("a chain");
  snapshot.format = 7;
  snapshot.body = std::move(body);
  return snapshot;
}

class SnapshotFilesTest : public testing::Test {
 protected:
  std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::directory_iterator(dir_.path() + "/snapshots")) {
      found.push_back(entry.path());
    }
    return found;
  }
  size_t damaged() const {
    size_t count = 0;
    check_snapshot_files(dir_.path(), [&](const std::string&) { ++count; });
    return count;
  }

  const test::TemporaryDir dir_;
  std::unique_ptr<SnapshotFiles> snapshots_ = std::move(*SnapshotFiles::open(dir_.path()));
};

TEST_F(SnapshotFilesTest, TheLastOneOfEachKindStands) {
  const TaskSnapshot state = some_snapshot(1, Kind::kState, "one");
  EXPECT_FALSE(snapshots_->find(state.task, Kind::kState));
  ASSERT_TRUE(snapshots_->put(some_snapshot(1, Kind::kState, "before")));
  ASSERT_TRUE(snapshots_->put(state));
  ASSERT_TRUE(snapshots_->put(some_snapshot(1, Kind::kPlanner, std::string(300'000, 'p'))));
  ASSERT_TRUE(snapshots_->put(some_snapshot(2, Kind::kState, "")));
  snapshots_ = std::move(*SnapshotFiles::open(dir_.path()));
  const auto found = snapshots_->find(state.task, Kind::kState);
  ASSERT_TRUE(found);
  EXPECT_EQ(found->task, state.task);
  EXPECT_EQ(found->seq, state.seq);
  EXPECT_EQ(found->chain, state.chain);
  EXPECT_EQ(found->format, state.format);
  EXPECT_EQ(found->body, "one");
  EXPECT_EQ(snapshots_->find(state.task, Kind::kPlanner)->body.size(), 300'000u);
  EXPECT_GE(snapshots_->size_bytes(state.task, Kind::kPlanner), 300'000u);
  EXPECT_EQ(snapshots_->tasks(), (std::vector<TaskId>{state.task, TaskId::make(1, 2, 2)}));
  EXPECT_EQ(damaged(), 0u);
  snapshots_->drop(state.task);
  EXPECT_FALSE(snapshots_->find(state.task, Kind::kState));
  EXPECT_FALSE(snapshots_->find(state.task, Kind::kPlanner));
  EXPECT_EQ(snapshots_->size_bytes(state.task, Kind::kPlanner), 0u);
  EXPECT_EQ(snapshots_->tasks(), (std::vector<TaskId>{TaskId::make(1, 2, 2)}));
}

TEST_F(SnapshotFilesTest, AnyFlippedBitIsNoSnapshotAndGoes) {
  const TaskSnapshot snapshot = some_snapshot(1, Kind::kState, "some bytes");
  ASSERT_TRUE(snapshots_->put(snapshot));
  const fs::path path = files().at(0);
  const size_t bits = fs::file_size(path) * 8;
  for (size_t bit = 0; bit < bits; ++bit) {
    ASSERT_TRUE(snapshots_->put(snapshot));
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    file.seekg(static_cast<std::streamoff>(bit / 8));
    const char byte = static_cast<char>(file.get());
    file.seekp(static_cast<std::streamoff>(bit / 8));
    file.put(static_cast<char>(byte ^ 1 << bit % 8));
    file.close();
    ASSERT_EQ(damaged(), 1u) << bit;
    ASSERT_FALSE(snapshots_->find(snapshot.task, Kind::kState)) << bit;
    ASSERT_TRUE(files().empty()) << bit;
  }
}

// A power loss may leave the name without the bytes, or with some of them.
TEST_F(SnapshotFilesTest, WhatWasCutShortIsNoSnapshot) {
  const TaskSnapshot snapshot = some_snapshot(1, Kind::kState, "some bytes");
  ASSERT_TRUE(snapshots_->put(snapshot));
  const fs::path path = files().at(0);
  for (size_t size = fs::file_size(path); size-- > 0;) {
    ASSERT_TRUE(snapshots_->put(snapshot));
    fs::resize_file(path, size);
    ASSERT_FALSE(snapshots_->find(snapshot.task, Kind::kState)) << size;
  }
}

TEST_F(SnapshotFilesTest, OneUnderTheNameOfAnotherIsNone) {
  ASSERT_TRUE(snapshots_->put(some_snapshot(1, Kind::kState, "some bytes")));
  const fs::path path = files().at(0);
  fs::path other = path;
  other.replace_extension(".planner");
  fs::rename(path, other);
  EXPECT_EQ(damaged(), 1u);
  EXPECT_FALSE(snapshots_->find(TaskId::make(1, 2, 1), Kind::kPlanner));
}

TEST_F(SnapshotFilesTest, WhatAKilledProcessWasWritingIsRemoved) {
  ASSERT_TRUE(snapshots_->put(some_snapshot(1, Kind::kState, "whole")));
  std::ofstream(files().at(0).string() + ".new") << "half";
  snapshots_ = std::move(*SnapshotFiles::open(dir_.path()));
  EXPECT_EQ(files().size(), 1u);
  EXPECT_EQ(snapshots_->find(TaskId::make(1, 2, 1), Kind::kState)->body, "whole");
}

TEST_F(SnapshotFilesTest, WhereNothingCanBeWrittenTheOneBeforeStands) {
  const TaskSnapshot snapshot = some_snapshot(1, Kind::kState, "before");
  ASSERT_TRUE(snapshots_->put(snapshot));
  fs::create_directory(files().at(0).string() + ".new");  // in the way
  EXPECT_FALSE(snapshots_->put(some_snapshot(1, Kind::kState, "after")));
  EXPECT_EQ(snapshots_->find(snapshot.task, Kind::kState)->body, "before");
}

}  // namespace
}  // namespace perdure
