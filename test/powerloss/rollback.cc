#include "rollback.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <map>
#include <vector>

#include "dice.h"
#include "history.h"
#include "undo_data.h"

namespace powerloss {
namespace {

using perdure::Code;
using perdure::fail;
using perdure::Status;

// Where each inode is now. Directories stay open, because the names undone are relative to them.
class Inodes {
 public:
  Inodes() = default;
  Inodes(const Inodes&) = delete;
  Inodes& operator=(const Inodes&) = delete;
  ~Inodes() {
    for (const auto& [inode, fd] : dirs_) close(fd);
  }

  Status scan(const std::string& path) {
    const int fd = open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* listing = fd < 0 ? nullptr : fdopendir(dup(fd));
    struct stat status;
    if (!listing || fstat(fd, &status) != 0) return fail(Code::kInternal, "cannot list " + path);
    set_dir(status.st_ino, fd);
    std::vector<std::string> below;
    while (const dirent* found = readdir(listing)) {
      const std::string name = found->d_name;
      if (name == "." || name == "..") continue;
      if (found->d_type == DT_DIR) {
        below.push_back(path + "/" + name);
      } else {
        files_[found->d_ino] = path + "/" + name;
      }
    }
    closedir(listing);
    for (const std::string& dir : below) TRY_STATUS(scan(dir));
    return {};
  }

  void set_dir(uint64_t inode, int fd) {
    const auto [place, is_new] = dirs_.try_emplace(inode, fd);
    if (!is_new) {
      close(place->second);
      place->second = fd;
    }
  }
  int dir(uint64_t inode) const {
    const auto found = dirs_.find(inode);
    return found == dirs_.end() ? -1 : found->second;
  }
  const std::string* file(uint64_t inode) const {
    const auto found = files_.find(inode);
    return found == files_.end() ? nullptr : &found->second;
  }
  const std::map<uint64_t, std::string>& files() const { return files_; }

 private:
  std::map<uint64_t, int> dirs_;
  std::map<uint64_t, std::string> files_;
};

// The changes that are lost: in each directory all from some point on.
std::vector<Change> choose_lost(const std::vector<Change>& names, Loss loss, Dice& dice) {
  if (loss == Loss::kNone) return {};
  if (loss == Loss::kAll) return names;
  std::map<uint64_t, std::vector<size_t>> by_dir;
  for (size_t i = 0; i < names.size(); i++) {
    by_dir[names[i].record->dir].push_back(i);
    if (names[i].record->dir2) by_dir[names[i].record->dir2].push_back(i);
  }
  std::map<uint64_t, size_t> lost_from;
  for (const auto& [dir, changes] : by_dir) {
    const size_t kept = dice.below(changes.size() + 1);
    lost_from[dir] = kept == changes.size() ? names.size() : changes[kept];
  }
  // A rename between two directories is lost in both or in none.
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < names.size(); i++) {
      const uint64_t dir = names[i].record->dir;
      const uint64_t dir2 = names[i].record->dir2 ? names[i].record->dir2 : dir;
      if (i < lost_from[dir] && i < lost_from[dir2]) continue;
      for (const uint64_t each : {dir, dir2}) {
        if (lost_from[each] <= i) continue;
        lost_from[each] = i;
        changed = true;
      }
    }
  }
  std::vector<Change> lost;
  for (size_t i = 0; i < names.size(); i++) {
    if (i >= lost_from[names[i].record->dir]) lost.push_back(names[i]);
  }
  return lost;
}

Status undo_name(const Change& change, Inodes& inodes, int trash, uint64_t number) {
  const Record& record = *change.record;
  const std::string name(change.name), name2(change.name2);
  const int dir = inodes.dir(record.dir), dir2 = inodes.dir(record.dir2);
  const std::string kept = std::to_string(record.trash);
  int done = 0;
  switch (record.op) {
    case Op::kCreate:
      done = renameat(dir, name.c_str(), trash, ("undone-" + std::to_string(number)).c_str());
      break;
    case Op::kUnlink:
      done = renameat(trash, kept.c_str(), dir, name.c_str());
      break;
    case Op::kRename:
      done = renameat(dir2, name2.c_str(), dir, name.c_str());
      if (done == 0 && record.trash) done = renameat(trash, kept.c_str(), dir2, name2.c_str());
      break;
    case Op::kExchange:
      done = renameat2(dir, name.c_str(), dir2, name2.c_str(), RENAME_EXCHANGE);
      break;
    case Op::kRemoveDir: {
      done = mkdirat(dir, name.c_str(), 0700);
      const int fd = openat(dir, name.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
      if (fd >= 0) inodes.set_dir(record.inode, fd);
      break;
    }
    default:
      break;
  }
  if (done == 0) return {};
  return fail(Code::kInternal, "roll-back: cannot undo the change of the name " + name + " " +
                                   name2 + ": " + strerror(errno));
}

// Shared memory of SQLite holds anything after a power loss.
void disturb_shared_memory(const Inodes& inodes, Loss loss, Dice& dice) {
  for (const auto& [inode, path] : inodes.files()) {
    if (loss == Loss::kNone || !path.ends_with("-shm")) continue;
    const uint64_t fate = loss == Loss::kAll ? 0 : dice.below(3);
    if (fate == 0) unlink(path.c_str());
    const int fd = fate == 1 ? open(path.c_str(), O_WRONLY | O_CLOEXEC) : -1;
    if (fd < 0) continue;
    const std::string garbage(4096, '\xa5');
    if (pwrite(fd, garbage.data(), garbage.size(), 0) < 0) perror("roll-back: -shm");
    close(fd);
  }
}

}  // namespace

perdure::Result<RollbackReport> roll_back(const std::string& dir, const std::string& state_dir,
                                          uint64_t seed, Loss loss) {
  TRY_ASSIGN(const History history, History::open(state_dir + "/" + kLogName));
  Dice dice(seed);
  RollbackReport report;
  report.records = history.changes().size();
  Inodes inodes;
  const std::string trash_dir = state_dir + "/" + kTrashName;
  TRY_STATUS(inodes.scan(trash_dir));
  TRY_STATUS(inodes.scan(dir));

  if (loss != Loss::kNone) {
    for (const std::vector<Change>& changes : history.volatile_data()) {
      const std::string* path = inodes.file(changes.front().record->inode);
      if (!path) continue;  // a file that never had a name
      const int fd = open(path->c_str(), O_RDWR | O_CLOEXEC);
      if (fd < 0) return fail(Code::kInternal, "roll-back: cannot open " + *path);
      const Status undone = undo_data(fd, changes, loss, dice, report);
      close(fd);
      TRY_STATUS(undone);
    }
  }
  disturb_shared_memory(inodes, loss, dice);

  std::vector<Change> lost = choose_lost(history.volatile_names(), loss, dice);
  std::reverse(lost.begin(), lost.end());
  const int trash = open(trash_dir.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  for (const Change& change : lost) {
    const Status undone = undo_name(change, inodes, trash, report.names_lost++);
    if (!undone) {
      close(trash);
      return tl::unexpected(undone.error());
    }
  }
  close(trash);
  return report;
}

}  // namespace powerloss
