#pragma once
// What pf_shim writes and pf_rollback reads: one file, mapped by the child, by its children and by
// the driver. A control page, then records one after the other. Mapped, not written through a
// descriptor, because a child may close every descriptor that it does not know.
//
// Owner: the driver creates the file before the child starts and reads it when all of them are
// dead. Threads: whoever holds `lock` may append; a record exists once `log_bytes` covers it.
#include <pthread.h>

#include <atomic>
#include <cstddef>
#include <cstdint>

namespace powerloss {

inline constexpr size_t kControlBytes = 4096;
inline constexpr size_t kLogCapacityBytes = size_t{256} << 20;  // sparse
inline constexpr size_t kSectorBytes = 512;

// The environment of a tracked child.
inline constexpr char kDirVariable[] = "PF_DIR";  // canonical path of the directory to track
inline constexpr char kStateVariable[] =
    "PF_STATE";  // holds kLogName and kTrashName, same file system
inline constexpr char kLogName[] = "log";
inline constexpr char kTrashName[] = "trash";

struct Control {
  pthread_mutex_t lock;               // process-shared, robust
  std::atomic<uint64_t> ops;          // tracked operations so far
  std::atomic<uint64_t> kill_before;  // SIGKILL before this operation, counted from 1; 0 = never
  std::atomic<uint64_t> log_bytes;
  std::atomic<uint32_t> attached;  // processes that loaded the shim
  std::atomic<uint32_t> dead;      // the power is gone: nobody performs another operation
  std::atomic<uint32_t> trash_files;
};
static_assert(sizeof(Control) <= kControlBytes);

enum class Op : uint32_t {
  kWrite = 1,  // inode, offset, length, old_size; data: the bytes that were there
  kTruncate,   // inode, offset = new size, old_size; data: the tail that was cut off
  kSync,       // inode of a file or of a directory
  kSyncAll,
  kCreate,      // dir, name: of a file, a directory, a link
  kUnlink,      // dir, name, trash: a hard link that keeps the file
  kRename,      // dir, name -> dir2, name2; trash: the file that was replaced, 0 = none
  kExchange,    // dir, name <-> dir2, name2
  kRemoveDir,   // dir, name, inode
  kUnmodelled,  // name: what the shim saw and cannot undo; the trial is worth nothing
};

// Followed by name, name2 and data, padded to 8 bytes.
struct Record {
  Op op;
  uint32_t trash;
  uint32_t name_bytes;
  uint32_t name2_bytes;
  uint64_t data_bytes;
  uint64_t inode;
  uint64_t dir;
  uint64_t dir2;
  int64_t offset;
  int64_t length;
  int64_t old_size;
};

inline constexpr size_t padded(size_t bytes) {
  return (bytes + 7) & ~size_t{7};
}

}  // namespace powerloss
