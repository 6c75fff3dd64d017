#include "adapters/files/file_blobs.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "killed_child.h"
#include "temporary_dir.h"

namespace perdure {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class FileBlobsTest : public testing::Test {
 protected:
  std::unique_ptr<FileBlobs> open() {
    auto opened = FileBlobs::open(dir_.path());
    EXPECT_TRUE(opened) << opened.error().message;
    return std::move(*opened);
  }
  // Regular files below the directory.
  std::vector<fs::path> files() const {
    std::vector<fs::path> found;
    for (const auto& entry : fs::recursive_directory_iterator(dir_.path())) {
      if (entry.is_regular_file()) found.push_back(entry.path());
    }
    return found;
  }

  test::TemporaryDir dir_;
  const std::string bytes_ = std::string(300'000, 'x') + std::string("\0end", 4);
  const Sha256 hash_ = sha256(bytes_);
};

TEST_F(FileBlobsTest, KeepsBytesOverReopening) {
  ASSERT_TRUE(open()->put("acme", hash_, bytes_));
  EXPECT_EQ(open()->get("acme", hash_).value(), bytes_);
  ASSERT_TRUE(open()->put("acme", sha256(""), ""));
  EXPECT_EQ(open()->get("acme", sha256("")).value(), "");
}

TEST_F(FileBlobsTest, AShortageOfDescriptorsPasses) {
  const auto blobs = open();
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &old), 0);
  const rlimit none{3, old.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &none), 0);
  const Status refused = blobs->put("acme", hash_, bytes_);
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &old), 0);
  ASSERT_FALSE(refused);
  EXPECT_THAT(refused.error().message, HasSubstr("Too many open files"));
  EXPECT_TRUE(blobs->put("acme", hash_, bytes_));
  EXPECT_EQ(blobs->get("acme", hash_).value(), bytes_);
}

TEST_F(FileBlobsTest, TenantsDoNotSeeEachOther) {
  const auto blobs = open();
  ASSERT_TRUE(blobs->put("../acme", hash_, bytes_));
  EXPECT_EQ(blobs->get("other", hash_).error().code, Code::kNotFound);
  EXPECT_EQ(blobs->get("../acme", hash_).value(), bytes_);
  for (const auto& file : files()) EXPECT_THAT(file.string(), HasSubstr(dir_.path() + "/blobs/"));
}

// The doctor looks at a directory that a server may be writing to.
TEST_F(FileBlobsTest, AViewRemovesNothing) {
  ASSERT_TRUE(open()->put("acme", hash_, bytes_));
  std::ofstream(dir_.path() + "/blobs/unfinished/1") << "half";
  const auto view = FileBlobs::view(dir_.path());
  EXPECT_EQ(view->get("acme", hash_).value(), bytes_);
  EXPECT_EQ(files().size(), 2u);
  const std::string missing = dir_.path() + "/none";
  EXPECT_EQ(FileBlobs::view(missing)->get("acme", hash_).error().code, Code::kNotFound);
  EXPECT_FALSE(fs::exists(missing));
}

TEST_F(FileBlobsTest, PutTwiceIsPutOnce) {
  const auto blobs = open();
  ASSERT_TRUE(blobs->put("acme", hash_, bytes_));
  ASSERT_EQ(files().size(), 1u);
  struct stat before{}, after{};
  stat(files()[0].c_str(), &before);
  ASSERT_TRUE(blobs->put("acme", hash_, bytes_));
  ASSERT_EQ(files().size(), 1u);
  stat(files()[0].c_str(), &after);
  EXPECT_EQ(before.st_ino, after.st_ino) << "not written again";
}

TEST_F(FileBlobsTest, DamageIsSeenNamedAndRepairedByTheRightBytes) {
  const auto blobs = open();
  ASSERT_TRUE(blobs->put("acme", hash_, bytes_));
  const fs::path file = files().at(0);
  for (const bool cut : {false, true}) {
    if (cut) {
      fs::resize_file(file, 10);
    } else {
      std::fstream(file, std::ios::in | std::ios::out).seekp(5).put('y');
    }
    const auto read = blobs->get("acme", hash_);
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().code, Code::kCorrupt);
    EXPECT_THAT(read.error().message, HasSubstr(file.string()));
    ASSERT_TRUE(blobs->put("acme", hash_, bytes_));
    EXPECT_EQ(blobs->get("acme", hash_).value(), bytes_);
  }
}

TEST_F(FileBlobsTest, FilesAndDirectoriesArePrivate) {
  ASSERT_TRUE(open()->put("acme", hash_, bytes_));
  for (const auto& entry : fs::recursive_directory_iterator(dir_.path())) {
    EXPECT_EQ(entry.status().permissions() & fs::perms(077), fs::perms::none) << entry.path();
  }
}

TEST_F(FileBlobsTest, AFailureNamesTheFile) {
  const auto blobs = open();
  const fs::path root = dir_.path() + "/blobs";
  fs::remove_all(root / "unfinished");
  const auto put = blobs->put("acme", hash_, bytes_);
  ASSERT_FALSE(put);
  EXPECT_THAT(put.error().message, HasSubstr((root / "unfinished").string()));
}

#ifdef PERDURE_TEST_HOOKS
std::string payload() {
  return std::string(300'000, 'k');
}

TEST(FileBlobsChild, DISABLED_Put) {
  const auto blobs = FileBlobs::open(std::getenv("PERDURE_TEST_DIR"));
  ASSERT_TRUE(blobs);
  EXPECT_TRUE((*blobs)->put("acme", sha256(payload()), payload()));
}

TEST_F(FileBlobsTest, AProcessThatIsKilledLeavesNothingHalfDone) {
  const Sha256 hash = sha256(payload());
  for (const std::string point : {"blob.before_rename:1", "blob.after_rename:1"}) {
    ASSERT_TRUE(test::killed_at(point, "FileBlobsChild.DISABLED_Put", dir_.path())) << point;
    ASSERT_EQ(files().size(), 1u);
    const bool named = point.starts_with("blob.after");
    const auto blobs = open();
    EXPECT_EQ(files().size(), named ? 1u : 0u) << "leftovers are removed";
    EXPECT_EQ(blobs->get("acme", hash).has_value(), named);
    ASSERT_TRUE(blobs->put("acme", hash, payload()));
    EXPECT_EQ(blobs->get("acme", hash).value(), payload());
    fs::remove(files().at(0));
  }
}
#endif

}  // namespace
}  // namespace perdure
