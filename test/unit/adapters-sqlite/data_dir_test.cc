#include "adapters/sqlite/data_dir.h"

#include <fmt/core.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <functional>
#include <iterator>

#include "temporary_dir.h"

namespace perdure {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

// True if `check` is true in a process of its own.
bool in_child(const std::function<bool()>& check) {
  const pid_t child = fork();
  if (child == 0) _exit(check() ? 0 : 1);
  int status = 1;
  waitpid(child, &status, 0);
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

std::string refusal(const std::string& path) {
  const auto dir = DataDir::lock(path);
  return dir ? "not refused" : dir.error().message;
}

class DataDirTest : public testing::Test {
 protected:
  test::TemporaryDir parent_;
  const std::string path_ = parent_.path() + "/a/b/data";
};

TEST_F(DataDirTest, IsCreatedPrivate) {
  const auto dir = DataDir::lock(path_);
  ASSERT_TRUE(dir) << dir.error().message;
  EXPECT_EQ(fs::status(path_).permissions(), fs::perms::owner_all);
  EXPECT_EQ(fs::status(path_ + "/lock").permissions(), fs::perms(0600));
}

TEST_F(DataDirTest, OthersMayNotReachIt) {
  for (const int mode : {0701, 0710, 0740, 0755, 0777}) {
    fs::create_directories(path_);
    fs::permissions(path_, fs::perms(mode));
    EXPECT_THAT(refusal(path_), HasSubstr("chmod 700 " + path_)) << mode;
    EXPECT_FALSE(fs::exists(path_ + "/lock")) << "refused before anything is written";
  }
}

TEST_F(DataDirTest, AFileIsNoDirectory) {
  std::ofstream(parent_.path() + "/file") << "x";
  EXPECT_THAT(refusal(parent_.path() + "/file"), HasSubstr("is not a directory"));
  EXPECT_THAT(refusal(parent_.path() + "/file/data"), HasSubstr("cannot create"));
}

TEST_F(DataDirTest, AMissingDirectoryIsNotCreatedWhereOneMustExist) {
  const auto dir = DataDir::lock_existing(path_);
  ASSERT_FALSE(dir);
  EXPECT_THAT(dir.error().message, HasSubstr(path_));
  EXPECT_FALSE(fs::exists(path_));
}

TEST_F(DataDirTest, OneThatCannotBeWrittenIsRefused) {
  fs::create_directories(path_);
  fs::permissions(path_, fs::perms(0500));
  fs::permissions(parent_.path(), fs::perms(0755));
  constexpr uid_t kNobody = 65534;
  const bool root = geteuid() == 0;
  if (root) ASSERT_EQ(chown(path_.c_str(), kNobody, kNobody), 0);
  EXPECT_TRUE(in_child([&] {
    if (root && setresuid(kNobody, kNobody, kNobody) != 0) return false;
    return refusal(path_) == "cannot write to the data directory " + path_ + ": Permission denied";
  }));
}

TEST_F(DataDirTest, ASecondHolderIsRefusedAndTheFirstIsNamed) {
  {
    auto dir = DataDir::lock(path_);
    ASSERT_TRUE(dir && dir->sign());
    const std::string holder = fmt::format("is in use by process {}", getpid());
    EXPECT_THAT(refusal(path_), HasSubstr(holder)) << "in the same process";
    EXPECT_TRUE(in_child([&] { return refusal(path_).find(holder) != std::string::npos; }));
  }
  EXPECT_TRUE(in_child([&] { return DataDir::lock(path_).has_value(); }));
  EXPECT_TRUE(DataDir::lock(path_).has_value());
}

TEST_F(DataDirTest, AHolderThatDiesGivesItBack) {
  EXPECT_TRUE(in_child([&] {
    auto dir = DataDir::lock(path_);
    if (!dir || !dir->sign()) return false;
    _exit(0);  // nothing is released in order
  }));
  std::ifstream file(path_ + "/lock");
  EXPECT_NE(std::string(std::istreambuf_iterator<char>(file), {}), "") << "its name is still there";
  EXPECT_TRUE(DataDir::lock(path_).has_value());
}

}  // namespace
}  // namespace perdure
