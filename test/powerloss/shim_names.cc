// Calls that change directories: create, link, unlink, rename. Each lasts only once its directory
// is synced.
#include <dlfcn.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <cerrno>
#include <cstdarg>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <cstring>

#include "shim_state.h"

using powerloss::Entry;
using powerloss::find_entry;
using powerloss::OpenFile;
using powerloss::Operation;

namespace {

int raw_open(int at, const char* path, int flags, mode_t mode) {
  return static_cast<int>(syscall(SYS_openat, at, path, flags, mode));
}

// O_TRUNC of a file that has content.
void record_open_truncate(int at, const char* path) {
  const int before = errno;
  const int fd = raw_open(at, path, O_RDONLY | O_CLOEXEC, 0);
  OpenFile file;
  if (fd >= 0 && powerloss::find_file(fd, file) && file.status.st_size > 0) {
    powerloss::record_truncate(file, 0);
  }
  if (fd >= 0) syscall(SYS_close, fd);
  errno = before;
}

int open_at(int at, const char* path, int flags, mode_t mode) {
  Entry entry;
  const bool changes = (flags & (O_CREAT | O_TRUNC)) && (flags & O_TMPFILE) != O_TMPFILE;
  if (!changes || !find_entry(at, path, entry)) return raw_open(at, path, flags, mode);
  if (entry.exists && (!(flags & O_TRUNC) || (flags & O_EXCL)))
    return raw_open(at, path, flags, mode);
  Operation operation;
  find_entry(at, path, entry);
  if (entry.exists) record_open_truncate(at, path);
  const int fd = raw_open(at, path, flags, mode);
  if (!entry.exists && fd >= 0) powerloss::record_create(entry);
  return fd;
}

mode_t mode_argument(int flags, va_list list) {
  return (flags & (O_CREAT | O_TMPFILE)) ? va_arg(list, mode_t) : 0;
}

// Performs `call`, which makes a new entry.
template <class Call>
int create_at(int at, const char* path, Call call) {
  Entry entry;
  if (!find_entry(at, path, entry)) return call();
  Operation operation;
  find_entry(at, path, entry);
  const int done = call();
  if (done == 0) powerloss::record_create(entry);
  return done;
}

int unlink_at(int at, const char* path, int flags) {
  const auto perform = [&] { return static_cast<int>(syscall(SYS_unlinkat, at, path, flags)); };
  Entry entry;
  if (!find_entry(at, path, entry) || !entry.exists) return perform();
  Operation operation;
  find_entry(at, path, entry);
  if (!entry.exists) return perform();
  const bool is_dir = (flags & AT_REMOVEDIR) != 0;
  const uint32_t kept = is_dir ? 0 : powerloss::keep_in_trash(at, path);
  const int done = perform();
  if (done == 0 && is_dir) powerloss::record_remove_dir(entry);
  if (done == 0 && !is_dir) powerloss::record_unlink(entry, kept);
  return done;
}

int rename_at(int at, const char* path, int at2, const char* path2, unsigned flags) {
  const auto perform = [&] {
    return static_cast<int>(syscall(SYS_renameat2, at, path, at2, path2, flags));
  };
  Entry from, to;
  const bool from_found = find_entry(at, path, from), to_found = find_entry(at2, path2, to);
  if (!from_found && !to_found) return perform();
  Operation operation;
  if (!from_found || !to_found) {
    powerloss::record_unmodelled("a rename across the border of the tracked directory");
    return perform();
  }
  find_entry(at, path, from);
  find_entry(at2, path2, to);
  if (from.exists && to.exists && from.status.st_ino == to.status.st_ino)
    return perform();  // no change
  const bool exchange = (flags & RENAME_EXCHANGE) != 0, replaces = to.exists && !exchange;
  const uint32_t kept = replaces ? powerloss::keep_in_trash(at2, path2) : 0;
  const int done = perform();
  if (done != 0) return done;
  if (replaces && kept == 0) powerloss::record_unmodelled("a rename over a directory");
  powerloss::record_rename(from, to, kept, exchange);
  return done;
}

template <class Function>
Function* next(const char* name) {
  return reinterpret_cast<Function*>(dlsym(RTLD_NEXT, name));
}

// stdio writes from inside libc, where no shim sees it. libstdc++ only opens with it and writes by
// itself.
FILE* open_stream(const char* symbol, const char* path, const char* mode, const void* caller) {
  auto* perform = next<FILE*(const char*, const char*)>(symbol);
  Entry entry;
  if ((mode[0] == 'r' && !strchr(mode, '+')) || !find_entry(AT_FDCWD, path, entry)) {
    return perform(path, mode);
  }
  Operation operation;
  Dl_info origin;
  const bool by_libstdcxx =
      dladdr(caller, &origin) && origin.dli_fname && strstr(origin.dli_fname, "libstdc++");
  if (!by_libstdcxx) powerloss::record_unmodelled("fopen for writing");
  find_entry(AT_FDCWD, path, entry);
  if (entry.exists && mode[0] == 'w') record_open_truncate(AT_FDCWD, path);
  FILE* stream = perform(path, mode);
  if (!entry.exists && stream) powerloss::record_create(entry);
  return stream;
}

template <class Call>
int make_temporary(const char* path, Call call) {
  Entry entry;
  if (!find_entry(AT_FDCWD, path, entry)) return call();
  Operation operation;
  const int fd = call();  // only now has the file a name
  if (fd >= 0 && find_entry(AT_FDCWD, path, entry)) powerloss::record_create(entry);
  return fd;
}

}  // namespace

extern "C" {

#define OPEN_WITH_MODE(at, path, flags)           \
  va_list list;                                   \
  va_start(list, flags);                          \
  const mode_t mode = mode_argument(flags, list); \
  va_end(list);                                   \
  return open_at(at, path, flags, mode)

int open(const char* path, int flags, ...) {
  OPEN_WITH_MODE(AT_FDCWD, path, flags);
}
int open64(const char* path, int flags, ...) {
  OPEN_WITH_MODE(AT_FDCWD, path, flags);
}
int openat(int at, const char* path, int flags, ...) {
  OPEN_WITH_MODE(at, path, flags);
}
int openat64(int at, const char* path, int flags, ...) {
  OPEN_WITH_MODE(at, path, flags);
}
int creat(const char* path, mode_t mode) {
  return open_at(AT_FDCWD, path, O_CREAT | O_WRONLY | O_TRUNC, mode);
}
int creat64(const char* path, mode_t mode) {
  return creat(path, mode);
}
// What _FORTIFY_SOURCE makes of open without a mode.
int __open_2(const char* path, int flags) {
  return open_at(AT_FDCWD, path, flags, 0);
}
int __open64_2(const char* path, int flags) {
  return open_at(AT_FDCWD, path, flags, 0);
}
int __openat_2(int at, const char* path, int flags) {
  return open_at(at, path, flags, 0);
}
int __openat64_2(int at, const char* path, int flags) {
  return open_at(at, path, flags, 0);
}

FILE* fopen(const char* path, const char* mode) {
  return open_stream("fopen", path, mode, __builtin_return_address(0));
}
FILE* fopen64(const char* path, const char* mode) {
  return open_stream("fopen64", path, mode, __builtin_return_address(0));
}
int mkstemp(char* path) {
  return make_temporary(path, [=] { return next<int(char*)>("mkstemp")(path); });
}
int mkstemp64(char* path) {
  return mkstemp(path);
}
int mkostemp(char* path, int flags) {
  return make_temporary(path, [=] { return next<int(char*, int)>("mkostemp")(path, flags); });
}
int mkostemp64(char* path, int flags) {
  return mkostemp(path, flags);
}

int mkdirat(int at, const char* path, mode_t mode) noexcept {
  return create_at(at, path,
                   [=] { return static_cast<int>(syscall(SYS_mkdirat, at, path, mode)); });
}
int mkdir(const char* path, mode_t mode) noexcept {
  return mkdirat(AT_FDCWD, path, mode);
}
int linkat(int at, const char* path, int at2, const char* path2, int flags) noexcept {
  return create_at(at2, path2, [=] {
    return static_cast<int>(syscall(SYS_linkat, at, path, at2, path2, flags));
  });
}
int link(const char* path, const char* path2) noexcept {
  return linkat(AT_FDCWD, path, AT_FDCWD, path2, 0);
}
int symlinkat(const char* target, int at, const char* path) noexcept {
  return create_at(at, path,
                   [=] { return static_cast<int>(syscall(SYS_symlinkat, target, at, path)); });
}
int symlink(const char* target, const char* path) noexcept {
  return symlinkat(target, AT_FDCWD, path);
}

int unlinkat(int at, const char* path, int flags) noexcept {
  return unlink_at(at, path, flags);
}
int unlink(const char* path) noexcept {
  return unlink_at(AT_FDCWD, path, 0);
}
int rmdir(const char* path) noexcept {
  return unlink_at(AT_FDCWD, path, AT_REMOVEDIR);
}
int remove(const char* path) noexcept {
  const int done = unlink_at(AT_FDCWD, path, 0);
  return done != 0 && errno == EISDIR ? unlink_at(AT_FDCWD, path, AT_REMOVEDIR) : done;
}

int rename(const char* path, const char* path2) noexcept {
  return rename_at(AT_FDCWD, path, AT_FDCWD, path2, 0);
}
int renameat(int at, const char* path, int at2, const char* path2) noexcept {
  return rename_at(at, path, at2, path2, 0);
}
int renameat2(int at, const char* path, int at2, const char* path2, unsigned flags) noexcept {
  return rename_at(at, path, at2, path2, flags);
}

}  // extern "C"
