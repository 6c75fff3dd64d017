// Files as a child of the rig: each item is written to a temporary file, synced, renamed to its
// name in a new or an old folder, and the folders are synced. "full" does all of it and may lose
// nothing; each other mode leaves one sync out and must lose.
//   files_powerloss write DIR full|no-file-sync|no-dir-sync|no-parent-sync    files_powerloss
//   verify DIR ACKS
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>

#include "dice.h"
#include "workload.h"

namespace {

using namespace powerloss;
namespace fs = std::filesystem;

constexpr int kItems = 10;
constexpr int kFolders = 3;
constexpr size_t kMaxBytes = 3000;

void require(bool fine, const char* what) {
  if (fine) return;
  perror(what);
  exit(kExitBroken);
}

void sync_path(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_CLOEXEC);
  require(fd >= 0 && fsync(fd) == 0, "fsync");
  close(fd);
}

std::string content(const std::string& name) {
  Dice dice(std::hash<std::string>{}(name));
  std::string bytes(1 + dice.below(kMaxBytes), ' ');
  for (char& byte : bytes) byte = static_cast<char>('a' + dice.below(26));
  return bytes;
}

void write_file(const std::string& path, const std::string& bytes, bool sync) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  require(fd >= 0, "open");
  const size_t half = bytes.size() / 2;
  require(write(fd, bytes.data(), half) == static_cast<ssize_t>(half), "write");
  const size_t rest = bytes.size() - half;
  require(write(fd, bytes.data() + half, rest) == static_cast<ssize_t>(rest), "write");
  require(!sync || fsync(fd) == 0, "fsync");
  close(fd);
}

int write_items(const std::string& dir, const std::string& mode) {
  const std::string token = round_token();
  for (int i = 0; i < kItems; i++) {
    const std::string folder = "f" + std::to_string(i % kFolders) + "-" + token;
    const std::string name = folder + "/" + std::to_string(i) + "-" + token;
    // A rename between folders brings its past along, one within a folder does not.
    const std::string temporary = dir + (i % 2 ? "/" + folder : "") + "/temporary";
    const bool made = mkdir((dir + "/" + folder).c_str(), 0700) == 0;
    require(made || errno == EEXIST, "mkdir");
    if (made && mode != "no-parent-sync") sync_path(dir);
    write_file(temporary, content(name), mode != "no-file-sync");
    require(rename(temporary.c_str(), (dir + "/" + name).c_str()) == 0, "rename");
    if (mode != "no-dir-sync") sync_path(dir + "/" + folder);
    acknowledge(name);
  }
  return kExitOk;
}

std::string read_file(const std::string& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

int verify_items(const std::string& dir, const std::string& acks_path) {
  for (const std::string& name : read_acks(acks_path)) {
    const std::string path = dir + "/" + name;
    if (!fs::exists(path)) return verdict(kExitLost, "lost " + name);
    if (read_file(path) != content(name)) return verdict(kExitCorrupt, "other bytes in " + name);
  }
  // What has its final name was synced before it got it, acknowledged or not.
  for (const auto& found : fs::recursive_directory_iterator(dir)) {
    const std::string name = fs::relative(found.path(), dir).string();
    if (!found.is_regular_file() || name.ends_with("temporary")) continue;
    if (read_file(found.path()) != content(name)) return verdict(kExitCorrupt, "torn " + name);
  }
  return kExitOk;
}

}  // namespace

int main(int count, char** arguments) {
  const std::string what = count == 4 ? arguments[1] : "";
  if (what == "write") return write_items(arguments[2], arguments[3]);
  if (what == "verify") return verify_items(arguments[2], arguments[3]);
  fprintf(stderr,
          "usage: files_powerloss write DIR full|no-file-sync|no-dir-sync|no-parent-sync | verify "
          "DIR ACKS\n");
  return kExitBroken;
}
