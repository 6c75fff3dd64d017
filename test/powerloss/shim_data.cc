// Calls that change or sync the bytes of a file. Each is recorded, then performed as a raw system
// call. fsync is durable by decree: nothing reaches a disk, so it costs nothing.
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

#include "shim_state.h"

using powerloss::OpenFile;
using powerloss::Operation;

namespace {

constexpr int64_t kHere = -1;  // at the descriptor's own position

// Performs `call` as a write of `bytes` bytes at `offset`.
template <class Call>
ssize_t write_at(int fd, int64_t offset, int64_t bytes, bool sync_after, Call call) {
  OpenFile file;
  if (bytes <= 0 || !powerloss::find_file(fd, file)) return call();
  Operation operation;
  powerloss::refresh(file);
  if (file.flags & O_APPEND) {
    offset = file.status.st_size;
  } else if (offset == kHere) {
    offset = syscall(SYS_lseek, fd, 0, SEEK_CUR);
  }
  powerloss::record_write(file, offset, bytes);
  const ssize_t done = call();
  if (done >= 0 && (sync_after || (file.flags & O_DSYNC)))
    powerloss::record_sync(file.status.st_ino);
  return done;
}

int64_t total(const iovec* parts, int count) {
  int64_t bytes = 0;
  for (int i = 0; i < count; i++) bytes += static_cast<int64_t>(parts[i].iov_len);
  return bytes;
}

int sync_fd(int fd, long number) {
  OpenFile file;
  if (!powerloss::find_file(fd, file)) return static_cast<int>(syscall(number, fd));
  Operation operation;
  powerloss::record_sync(file.status.st_ino);
  return 0;
}

int truncate_fd(int fd, off_t size) {
  OpenFile file;
  if (size < 0 || !powerloss::find_file(fd, file)) {
    return static_cast<int>(syscall(SYS_ftruncate, fd, size));
  }
  Operation operation;
  powerloss::refresh(file);
  powerloss::record_truncate(file, size);
  return static_cast<int>(syscall(SYS_ftruncate, fd, size));
}

int truncate_path(const char* path, off_t size) {
  const long fd =
      powerloss::attached() ? syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CLOEXEC) : -1;
  if (fd < 0) return static_cast<int>(syscall(SYS_truncate, path, size));
  const int done = truncate_fd(static_cast<int>(fd), size);
  const int error = errno;
  syscall(SYS_close, fd);
  errno = error;
  return done;
}

int allocate(int fd, int mode, off_t offset, off_t bytes) {
  OpenFile file;
  const auto perform = [&] {
    return static_cast<int>(syscall(SYS_fallocate, fd, mode, offset, bytes));
  };
  if (!powerloss::find_file(fd, file)) return perform();
  if (mode & (FALLOC_FL_COLLAPSE_RANGE | FALLOC_FL_INSERT_RANGE)) {
    errno = EOPNOTSUPP;  // as many file systems answer
    return -1;
  }
  Operation operation;
  powerloss::refresh(file);
  const int64_t end = offset + bytes;
  if (mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)) {
    const int64_t last =
        mode & FALLOC_FL_KEEP_SIZE && end > file.status.st_size ? file.status.st_size : end;
    powerloss::record_write(file, offset, last - offset);
  } else if (!(mode & FALLOC_FL_KEEP_SIZE) && end > file.status.st_size) {
    powerloss::record_truncate(file, end);
  }
  return perform();
}

// Copies inside the kernel are refused, so that the program falls back to write().
bool is_tracked(int fd) {
  OpenFile file;
  return powerloss::find_file(fd, file);
}

void* map(void* where, size_t bytes, int protection, int flags, int fd, off_t offset) {
  OpenFile file;
  if (fd >= 0 && (flags & MAP_SHARED) && (protection & PROT_WRITE) &&
      powerloss::find_file(fd, file)) {
    Operation operation;
    powerloss::record_unmodelled("a shared writable mapping of a file");
  }
  return reinterpret_cast<void*>(syscall(SYS_mmap, where, bytes, protection, flags, fd, offset));
}

}  // namespace

extern "C" {

ssize_t write(int fd, const void* data, size_t bytes) {
  return write_at(fd, kHere, static_cast<int64_t>(bytes), false,
                  [=] { return syscall(SYS_write, fd, data, bytes); });
}
ssize_t pwrite64(int fd, const void* data, size_t bytes, off64_t offset) {
  return write_at(fd, offset, static_cast<int64_t>(bytes), false,
                  [=] { return syscall(SYS_pwrite64, fd, data, bytes, offset); });
}
ssize_t pwrite(int fd, const void* data, size_t bytes, off_t offset) {
  return pwrite64(fd, data, bytes, offset);
}
ssize_t writev(int fd, const iovec* parts, int count) {
  return write_at(fd, kHere, total(parts, count), false,
                  [=] { return syscall(SYS_writev, fd, parts, count); });
}
ssize_t pwritev64v2(int fd, const iovec* parts, int count, off64_t offset, int flags) {
  return write_at(fd, offset, total(parts, count), (flags & (RWF_DSYNC | RWF_SYNC)) != 0,
                  [=] { return syscall(SYS_pwritev2, fd, parts, count, offset, 0L, flags); });
}
ssize_t pwritev2(int fd, const iovec* parts, int count, off_t offset, int flags) {
  return pwritev64v2(fd, parts, count, offset, flags);
}
ssize_t pwritev64(int fd, const iovec* parts, int count, off64_t offset) {
  return write_at(fd, offset, total(parts, count), false,
                  [=] { return syscall(SYS_pwritev, fd, parts, count, offset, 0L); });
}
ssize_t pwritev(int fd, const iovec* parts, int count, off_t offset) {
  return pwritev64(fd, parts, count, offset);
}

int fsync(int fd) {
  return sync_fd(fd, SYS_fsync);
}
int fdatasync(int fd) {
  return sync_fd(fd, SYS_fdatasync);
}
int syncfs(int fd) noexcept {
  if (!powerloss::attached()) return static_cast<int>(syscall(SYS_syncfs, fd));
  Operation operation;
  powerloss::record_sync_all();
  return 0;
}
void sync() noexcept {
  if (!powerloss::attached()) {
    syscall(SYS_sync);
    return;
  }
  Operation operation;
  powerloss::record_sync_all();
}

int ftruncate(int fd, off_t size) noexcept {
  return truncate_fd(fd, size);
}
int ftruncate64(int fd, off64_t size) noexcept {
  return truncate_fd(fd, size);
}
int truncate(const char* path, off_t size) noexcept {
  return truncate_path(path, size);
}
int truncate64(const char* path, off64_t size) noexcept {
  return truncate_path(path, size);
}
int fallocate(int fd, int mode, off_t offset, off_t bytes) {
  return allocate(fd, mode, offset, bytes);
}
int fallocate64(int fd, int mode, off64_t offset, off64_t bytes) {
  return allocate(fd, mode, offset, bytes);
}
int posix_fallocate(int fd, off_t offset, off_t bytes) {
  return allocate(fd, 0, offset, bytes) == 0 ? 0 : errno;
}
int posix_fallocate64(int fd, off64_t offset, off64_t bytes) {
  return posix_fallocate(fd, offset, bytes);
}

ssize_t sendfile(int out, int in, off_t* offset, size_t bytes) noexcept {
  if (!is_tracked(out)) return syscall(SYS_sendfile, out, in, offset, bytes);
  errno = EINVAL;
  return -1;
}
ssize_t sendfile64(int out, int in, off64_t* offset, size_t bytes) noexcept {
  return sendfile(out, in, offset, bytes);
}
ssize_t copy_file_range(int in, off64_t* in_offset, int out, off64_t* out_offset, size_t bytes,
                        unsigned flags) {
  if (!is_tracked(out)) {
    return syscall(SYS_copy_file_range, in, in_offset, out, out_offset, bytes, flags);
  }
  errno = EXDEV;
  return -1;
}
ssize_t splice(int in, off64_t* in_offset, int out, off64_t* out_offset, size_t bytes,
               unsigned flags) {
  if (!is_tracked(out)) return syscall(SYS_splice, in, in_offset, out, out_offset, bytes, flags);
  errno = EINVAL;
  return -1;
}

void* mmap(void* where, size_t bytes, int protection, int flags, int fd, off_t offset) noexcept {
  return map(where, bytes, protection, flags, fd, offset);
}
void* mmap64(void* where, size_t bytes, int protection, int flags, int fd,
             off64_t offset) noexcept {
  return map(where, bytes, protection, flags, fd, offset);
}

}  // extern "C"
