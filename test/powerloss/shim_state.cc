#include "shim_state.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace powerloss {
namespace {

constexpr int64_t kChunkBytes = 256 << 10;

struct Shim {
  char dir[PATH_MAX];
  size_t dir_bytes;
  char trash[PATH_MAX];
  Control* control;
  char* log;
};
Shim shim;

[[noreturn]] void give_up(const char* what) {
  char line[PATH_MAX + 64];
  const int size = snprintf(line, sizeof line, "pf_shim: %s\n", what);
  syscall(SYS_write, 2, line, size);
  syscall(SYS_exit_group, 125);
  __builtin_trap();
}

[[gnu::constructor]] void attach() {
  if (shim.control) return;
  const char* dir = getenv(kDirVariable);
  const char* state = getenv(kStateVariable);
  if (!dir || !state) return;
  char log[PATH_MAX];
  snprintf(shim.dir, sizeof shim.dir, "%s", dir);
  shim.dir_bytes = strlen(shim.dir);
  if (snprintf(log, sizeof log, "%s/%s", state, kLogName) >= PATH_MAX ||
      snprintf(shim.trash, sizeof shim.trash, "%s/%s", state, kTrashName) >= PATH_MAX) {
    give_up("path too long");
  }
  const long fd = syscall(SYS_openat, AT_FDCWD, log, O_RDWR | O_CLOEXEC, 0);
  if (fd < 0) give_up("cannot open the log");
  const long base = syscall(SYS_mmap, nullptr, kControlBytes + kLogCapacityBytes,
                            PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0L);
  syscall(SYS_close, fd);
  if (base == -1) give_up("cannot map the log");
  shim.log = reinterpret_cast<char*>(base) + kControlBytes;
  shim.control = reinterpret_cast<Control*>(base);
  shim.control->attached++;
}

// The path behind a descriptor, as the kernel sees it now.
bool path_of(int fd, char (&path)[PATH_MAX]) {
  char link[32];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const long size = syscall(SYS_readlinkat, AT_FDCWD, link, path, sizeof path - 1);
  if (size < 0) return false;
  path[size] = 0;
  return true;
}

bool under_dir(const char* path) {
  return strncmp(path, shim.dir, shim.dir_bytes) == 0 &&
         (path[shim.dir_bytes] == 0 || path[shim.dir_bytes] == '/');
}

bool is_shared_memory(const char* path) {
  size_t size = strlen(path);
  constexpr char kDeleted[] = " (deleted)";
  if (size > sizeof kDeleted && strcmp(path + size - strlen(kDeleted), kDeleted) == 0) {
    size -= strlen(kDeleted);
  }
  return size >= 4 && strncmp(path + size - 4, "-shm", 4) == 0;
}

// Reserves a record of this shape at the end of the log; commit() makes it exist.
struct Draft {
  Record* record;
  char* data;
  size_t bytes;
};

Draft draft(Op op, const char* name, const char* name2, size_t data_bytes) {
  const size_t name_bytes = strlen(name), name2_bytes = strlen(name2);
  const size_t bytes = padded(sizeof(Record) + name_bytes + name2_bytes + data_bytes);
  const size_t used = shim.control->log_bytes;
  if (used + bytes > kLogCapacityBytes) give_up("the log is full");
  Record* record = reinterpret_cast<Record*>(shim.log + used);
  *record = Record{};
  record->op = op;
  record->name_bytes = static_cast<uint32_t>(name_bytes);
  record->name2_bytes = static_cast<uint32_t>(name2_bytes);
  record->data_bytes = data_bytes;
  char* names = reinterpret_cast<char*>(record + 1);
  memcpy(names, name, name_bytes);
  memcpy(names + name_bytes, name2, name2_bytes);
  return {record, names + name_bytes + name2_bytes, bytes};
}

void commit(const Draft& made) {
  shim.control->log_bytes += made.bytes;
}

void read_old(const OpenFile& file, char* into, int64_t offset, size_t bytes) {
  // The child's own descriptor may be write-only.
  char link[32];
  snprintf(link, sizeof link, "/proc/self/fd/%d", file.fd);
  const bool readable = (file.flags & O_ACCMODE) == O_RDWR;
  const long fd = readable ? file.fd : syscall(SYS_openat, AT_FDCWD, link, O_RDONLY | O_CLOEXEC, 0);
  const long got = syscall(SYS_pread64, fd, into, bytes, offset);
  if (!readable && fd >= 0) syscall(SYS_close, fd);
  if (got != static_cast<long>(bytes)) give_up("cannot read what is about to be overwritten");
}

[[noreturn]] void die() {
  shim.control->dead = 1;
  syscall(SYS_kill, 0, SIGKILL);
  syscall(SYS_kill, syscall(SYS_getpid), SIGKILL);
  for (;;) syscall(SYS_pause);
}

}  // namespace

bool attached() {
  if (!shim.control) attach();  // a call from another library's constructor
  return shim.control != nullptr;
}

bool find_file(int fd, OpenFile& file) {
  const int before = errno;
  char path[PATH_MAX];
  const bool found = attached() && path_of(fd, path) && under_dir(path) &&
                     !is_shared_memory(path) && syscall(SYS_fstat, fd, &file.status) == 0 &&
                     (S_ISREG(file.status.st_mode) || S_ISDIR(file.status.st_mode));
  if (found) {
    file.fd = fd;
    file.flags = static_cast<int>(syscall(SYS_fcntl, fd, F_GETFL));
  }
  errno = before;
  return found;
}

bool find_entry(int at, const char* path, Entry& entry) {
  if (!attached() || !path || !*path) return false;
  const int before = errno;
  char parent[PATH_MAX];
  if (snprintf(parent, sizeof parent, "%s", path) >= PATH_MAX) return false;
  for (size_t n = strlen(parent); n > 1 && parent[n - 1] == '/'; n--) parent[n - 1] = 0;
  char* slash = strrchr(parent, '/');
  const char* name = slash ? slash + 1 : parent;
  if (strlen(name) > NAME_MAX || is_shared_memory(name)) return false;
  snprintf(entry.name, sizeof entry.name, "%s", name);
  const char* where = !slash ? "." : slash == parent ? "/" : parent;
  if (slash) *slash = 0;
  const long dir = syscall(SYS_openat, at, where, O_PATH | O_DIRECTORY | O_CLOEXEC, 0);
  bool found = false;
  if (dir >= 0) {
    char canonical[PATH_MAX];
    struct stat status;
    found = path_of(static_cast<int>(dir), canonical) && under_dir(canonical) &&
            syscall(SYS_fstat, dir, &status) == 0;
    if (found) {
      entry.dir = status.st_ino;
      entry.exists =
          syscall(SYS_newfstatat, dir, entry.name, &entry.status, AT_SYMLINK_NOFOLLOW) == 0;
    }
    syscall(SYS_close, dir);
  }
  errno = before;
  return found;
}

Operation::Operation() {
  Control& control = *shim.control;
  if (pthread_mutex_lock(&control.lock) == EOWNERDEAD) pthread_mutex_consistent(&control.lock);
  if (control.dead || ++control.ops == control.kill_before) die();
}

Operation::~Operation() {
  const int before = errno;
  pthread_mutex_unlock(&shim.control->lock);
  errno = before;
}

void refresh(OpenFile& file) {
  syscall(SYS_fstat, file.fd, &file.status);
}

void record_write(const OpenFile& file, int64_t offset, int64_t length) {
  int64_t size = file.status.st_size;
  while (length > 0) {
    const int64_t chunk = length < kChunkBytes ? length : kChunkBytes;
    const int64_t there = size <= offset ? 0 : (size - offset < chunk ? size - offset : chunk);
    const Draft made = draft(Op::kWrite, "", "", static_cast<size_t>(there));
    made.record->inode = file.status.st_ino;
    made.record->offset = offset;
    made.record->length = chunk;
    made.record->old_size = size;
    if (there > 0) read_old(file, made.data, offset, static_cast<size_t>(there));
    commit(made);
    offset += chunk;
    length -= chunk;
    if (size < offset) size = offset;
  }
}

void record_truncate(const OpenFile& file, int64_t new_size) {
  const int64_t cut = file.status.st_size > new_size ? file.status.st_size - new_size : 0;
  const Draft made = draft(Op::kTruncate, "", "", static_cast<size_t>(cut));
  made.record->inode = file.status.st_ino;
  made.record->offset = new_size;
  made.record->old_size = file.status.st_size;
  if (cut > 0) read_old(file, made.data, new_size, static_cast<size_t>(cut));
  commit(made);
}

void record_sync(uint64_t inode) {
  const Draft made = draft(Op::kSync, "", "", 0);
  made.record->inode = inode;
  commit(made);
}

void record_sync_all() {
  commit(draft(Op::kSyncAll, "", "", 0));
}

void record_create(const Entry& entry) {
  const Draft made = draft(Op::kCreate, entry.name, "", 0);
  made.record->dir = entry.dir;
  commit(made);
}

uint32_t keep_in_trash(int at, const char* path) {
  const uint32_t number = ++shim.control->trash_files;
  char kept[PATH_MAX + 16];
  snprintf(kept, sizeof kept, "%s/%u", shim.trash, number);
  if (syscall(SYS_linkat, at, path, AT_FDCWD, kept, 0) != 0) {
    --shim.control->trash_files;
    return 0;  // the caller's own call will fail in the same way
  }
  return number;
}

void record_unlink(const Entry& entry, uint32_t kept) {
  const Draft made = draft(Op::kUnlink, entry.name, "", 0);
  made.record->dir = entry.dir;
  made.record->trash = kept;
  commit(made);
}

void record_remove_dir(const Entry& entry) {
  const Draft made = draft(Op::kRemoveDir, entry.name, "", 0);
  made.record->dir = entry.dir;
  made.record->inode = entry.status.st_ino;
  commit(made);
}

void record_rename(const Entry& from, const Entry& to, uint32_t kept, bool exchange) {
  const Draft made = draft(exchange ? Op::kExchange : Op::kRename, from.name, to.name, 0);
  made.record->dir = from.dir;
  made.record->dir2 = to.dir;
  made.record->trash = kept;
  commit(made);
}

void record_unmodelled(const char* what) {
  commit(draft(Op::kUnmodelled, what, "", 0));
}

}  // namespace powerloss
