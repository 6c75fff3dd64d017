#pragma once
// The shim's side of the log: what is tracked, and how an operation is recorded before it happens.
// No allocation, no descriptors kept, raw system calls only: this runs inside any program.
#include <sys/stat.h>

#include <climits>
#include <cstdint>

#include "pf_log.h"

namespace powerloss {

// False if this process is not tracked at all (no PF_DIR).
bool attached();

// An open file under the tracked directory. SQLite's "-shm" files are not tracked: they are shared
// memory.
struct OpenFile {
  int fd = -1;
  struct stat status = {};
  int flags = 0;
};
bool find_file(int fd, OpenFile& file);
// Reads the status again: its size may have moved until the lock was ours.
void refresh(OpenFile& file);

// A directory entry under the tracked directory, which may not exist.
struct Entry {
  uint64_t dir = 0;
  char name[NAME_MAX + 1] = {};
  bool exists = false;
  struct stat status = {};  // of the entry itself, links not followed
};
bool find_entry(int at, const char* path, Entry& entry);

// One tracked operation: counts it, kills the process group if its time has come, and holds the
// lock until the caller has performed it. Records are made within.
class Operation {
 public:
  Operation();
  ~Operation();
  Operation(const Operation&) = delete;
  Operation& operator=(const Operation&) = delete;
};

// The rest is called inside an Operation. Changes of bytes are recorded before they are performed,
// because the old bytes are needed; changes of names after they have succeeded.
void record_write(const OpenFile& file, int64_t offset, int64_t length);
void record_truncate(const OpenFile& file, int64_t new_size);
void record_sync(uint64_t inode);
void record_sync_all();

// Makes a hard link, so that the file outlives its name. Returns its number, 0 if there is no such
// file.
uint32_t keep_in_trash(int at, const char* path);
void record_create(const Entry& entry);
void record_unlink(const Entry& entry, uint32_t kept);
void record_remove_dir(const Entry& entry);
void record_rename(const Entry& from, const Entry& to, uint32_t kept, bool exchange);
// Something that cannot be undone: the trial is worth nothing, and the roll-back says so.
void record_unmodelled(const char* what);

}  // namespace powerloss
