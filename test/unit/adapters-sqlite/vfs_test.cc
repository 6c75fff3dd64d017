// What gathers must look to SQLite like a file, and to the disk like one write.
#include "adapters/sqlite/vfs.h"

#include <gtest/gtest.h>
#include <sqlite3.h>
#include <sys/resource.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <fstream>
#include <vector>

namespace perdure {
namespace {

// A file object of the VFS, opened as SQLite opens a log.
class Log {
 public:
  explicit Log(int flags = SQLITE_OPEN_WAL) {
    path_ = std::filesystem::temp_directory_path() / ("vfs_test." + std::to_string(getpid()));
    std::filesystem::remove(path_);
    vfs_ = sqlite3_vfs_find(*gathering_vfs());
    memory_.resize(static_cast<size_t>(vfs_->szOsFile) / sizeof(void*) + 1);
    EXPECT_EQ(vfs_->xOpen(vfs_, path_.c_str(), file(),
                          flags | SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, nullptr),
              SQLITE_OK);
  }
  ~Log() {
    if (open_) close();
    std::filesystem::remove(path_);
  }

  sqlite3_file* file() { return reinterpret_cast<sqlite3_file*>(memory_.data()); }
  int write(std::string_view text, int64_t at) {
    return file()->pMethods->xWrite(file(), text.data(), static_cast<int>(text.size()), at);
  }
  int sync() { return file()->pMethods->xSync(file(), SQLITE_SYNC_FULL); }
  int close() {
    open_ = false;
    return file()->pMethods->xClose(file());
  }
  std::string read(int64_t at, int bytes) {
    std::string text(static_cast<size_t>(bytes), '?');
    EXPECT_EQ(file()->pMethods->xRead(file(), text.data(), bytes, at), SQLITE_OK);
    return text;
  }
  int64_t size() {
    sqlite3_int64 bytes = -1;
    EXPECT_EQ(file()->pMethods->xFileSize(file(), &bytes), SQLITE_OK);
    return bytes;
  }
  // What another reader of the file sees.
  std::string on_disk() const {
    std::ifstream in(path_);
    return {std::istreambuf_iterator<char>(in), {}};
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
  sqlite3_vfs* vfs_ = nullptr;
  std::vector<void*> memory_;
  bool open_ = true;
};

TEST(GatheringVfs, WhatIsWrittenReachesTheDiskWithTheSync) {
  Log log;
  EXPECT_EQ(log.write("head", 0), SQLITE_OK);
  EXPECT_EQ(log.write("frame", 4), SQLITE_OK);
  EXPECT_EQ(log.on_disk(), "") << "nothing is gathered: the test could not fail";
  EXPECT_EQ(log.sync(), SQLITE_OK);
  EXPECT_EQ(log.on_disk(), "headframe");
}

TEST(GatheringVfs, WhatIsReadOrMeasuredIsWhatWasWritten) {
  Log log;
  log.write("abcdef", 0);
  EXPECT_EQ(log.read(2, 3), "cde");
  log.write("ghi", 6);
  EXPECT_EQ(log.size(), 9);
  log.write("XY", 1);  // over what stands there: SQLite writes a page of a transaction again
  log.write("Z", 3);
  EXPECT_EQ(log.read(0, 9), "aXYZefghi");
  log.write("jk", 9);
  EXPECT_EQ(log.file()->pMethods->xTruncate(log.file(), 4), SQLITE_OK);
  EXPECT_EQ(log.on_disk(), "aXYZ");
}

TEST(GatheringVfs, GapsStayGaps) {
  Log log;
  log.write("far", 1000);
  log.write("near", 0);
  EXPECT_EQ(log.sync(), SQLITE_OK);
  EXPECT_EQ(log.size(), 1003);
  EXPECT_EQ(log.read(1000, 3), "far");
  EXPECT_EQ(log.read(0, 4), "near");
}

TEST(GatheringVfs, MoreThanFitsAndOneLargePieceAreWhole) {
  Log log;
  std::string whole;
  for (int i = 0; i < 200; ++i) {
    const std::string frame(4120, static_cast<char>('a' + i % 26));
    ASSERT_EQ(log.write(frame, static_cast<int64_t>(whole.size())), SQLITE_OK);
    whole += frame;
  }
  const std::string large(300'000, 'L');
  ASSERT_EQ(log.write(large, static_cast<int64_t>(whole.size())), SQLITE_OK);
  whole += large;
  EXPECT_EQ(log.sync(), SQLITE_OK);
  EXPECT_EQ(log.on_disk(), whole);
}

TEST(GatheringVfs, TheEndWritesWhatIsLeft) {
  Log log;
  log.write("last", 0);
  EXPECT_EQ(log.close(), SQLITE_OK);
  EXPECT_EQ(log.on_disk(), "last");
}

TEST(GatheringVfs, AnythingButALogGoesStraightThrough) {
  Log database(SQLITE_OPEN_MAIN_DB);
  EXPECT_EQ(database.write("page", 0), SQLITE_OK);
  EXPECT_EQ(database.on_disk(), "page");
}

// Once a write has failed nothing is promised any more, not even by a disk that has recovered.
TEST(GatheringVfs, AfterALostWriteNothingSucceeds) {
  Log log;
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  const auto ignored = signal(SIGXFSZ, SIG_IGN);
  rlimit small = old;
  small.rlim_cur = 4;
  log.write("more than four bytes", 0);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  EXPECT_NE(log.sync(), SQLITE_OK);
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
  signal(SIGXFSZ, ignored);
  EXPECT_NE(log.sync(), SQLITE_OK);
  EXPECT_NE(log.write("again", 0), SQLITE_OK);
  EXPECT_NE(log.close(), SQLITE_OK);
}

}  // namespace
}  // namespace perdure
