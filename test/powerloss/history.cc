#include "history.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

namespace powerloss {
namespace {

using perdure::Code;
using perdure::fail;

bool is_data(Op op) {
  return op == Op::kWrite || op == Op::kTruncate;
}
bool is_name(Op op) {
  return op == Op::kCreate || op == Op::kUnlink || op == Op::kRename || op == Op::kExchange ||
         op == Op::kRemoveDir;
}

}  // namespace

perdure::Result<History> History::open(const std::string& log_path) {
  const int fd = ::open(log_path.c_str(), O_RDONLY | O_CLOEXEC);
  if (fd < 0) return fail(Code::kNotFound, "cannot open " + log_path + ": " + strerror(errno));
  History history;
  void* base = mmap(nullptr, kControlBytes + kLogCapacityBytes, PROT_READ, MAP_SHARED, fd, 0);
  ::close(fd);
  if (base == MAP_FAILED) return fail(Code::kInternal, "cannot map " + log_path);
  history.base_ = base;
  const char* at = static_cast<const char*>(base) + kControlBytes;
  const char* end = at + static_cast<const Control*>(base)->log_bytes;
  while (at < end) {
    const auto* record = reinterpret_cast<const Record*>(at);
    const char* names = at + sizeof(Record);
    Change change{
        record, {names, record->name_bytes}, {names + record->name_bytes, record->name2_bytes}, {}};
    change.data = {change.name2.data() + change.name2.size(), record->data_bytes};
    at += padded(static_cast<size_t>(change.data.data() + change.data.size() - at));
    if (record->op == Op::kUnmodelled) {
      return fail(Code::kUnsupported,
                  "the child did what the rig cannot undo: " + std::string(change.name));
    }
    history.changes_.push_back(change);
    const size_t index = history.changes_.size();
    if (record->op == Op::kSync) history.last_sync_[record->inode] = index;
    if (record->op == Op::kSyncAll) history.last_sync_all_ = index;
  }
  return history;
}

History::History(History&& other) noexcept
    : base_(std::exchange(other.base_, nullptr)),
      changes_(std::move(other.changes_)),
      last_sync_(std::move(other.last_sync_)),
      last_sync_all_(other.last_sync_all_) {}

History::~History() {
  if (base_) munmap(base_, kControlBytes + kLogCapacityBytes);
}

size_t History::last_sync(uint64_t inode) const {
  const auto found = last_sync_.find(inode);
  return std::max(last_sync_all_, found == last_sync_.end() ? 0 : found->second);
}

std::vector<std::vector<Change>> History::volatile_data() const {
  std::vector<std::vector<Change>> files;
  std::map<uint64_t, size_t> file_of;
  for (size_t i = 0; i < changes_.size(); i++) {
    const Record& record = *changes_[i].record;
    if (!is_data(record.op) || i < last_sync(record.inode)) continue;
    const auto [place, is_new] = file_of.try_emplace(record.inode, files.size());
    if (is_new) files.emplace_back();
    files[place->second].push_back(changes_[i]);
  }
  return files;
}

std::vector<Change> History::volatile_names() const {
  std::map<uint64_t, size_t> durable;  // by directory: changes before this index
  for (bool changed = true; changed;) {
    changed = false;
    for (size_t i = 0; i < changes_.size(); i++) {
      const Record& record = *changes_[i].record;
      if (!is_name(record.op)) continue;
      const uint64_t dir2 = record.dir2 ? record.dir2 : record.dir;
      const size_t reached =
          std::max({last_sync(record.dir), last_sync(dir2), durable[record.dir], durable[dir2]});
      if (i >= reached) continue;
      for (const uint64_t dir : {record.dir, dir2}) {
        if (durable[dir] > i) continue;
        durable[dir] = i + 1;
        changed = true;
      }
    }
  }
  std::vector<Change> names;
  for (size_t i = 0; i < changes_.size(); i++) {
    const Record& record = *changes_[i].record;
    if (is_name(record.op) && i >= durable[record.dir]) names.push_back(changes_[i]);
  }
  return names;
}

}  // namespace powerloss
