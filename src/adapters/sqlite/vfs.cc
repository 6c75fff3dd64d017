#include "adapters/sqlite/vfs.h"

#include <sqlite3.h>

#include <algorithm>
#include <cstring>
#include <memory>
#include <new>
#include <string_view>

namespace perdure {
namespace {

constexpr const char* kName = "perdure-log";
constexpr int64_t kGatheredMaxBytes = (128 << 10) - 1;  // SQLite's own VFS writes no more at once

// The log as SQLite sees it; the system's own file object stands right behind this one.
struct LogFile {
  sqlite3_file base;  // first: SQLite knows no more of us
  int64_t at = 0;     // where the gathered bytes belong
  int64_t count = 0;
  int failure = SQLITE_OK;  // what was gathered is lost: nothing is written or synced any more
  std::unique_ptr<char[]> gathered;

  sqlite3_file* below() { return reinterpret_cast<sqlite3_file*>(this + 1); }
};

LogFile& of(sqlite3_file* file) {
  return *reinterpret_cast<LogFile*>(file);
}

template <auto Method, class... Arguments>
int below(LogFile& log, Arguments... arguments) {
  sqlite3_file* file = log.below();
  return (file->pMethods->*Method)(file, arguments...);
}

int write_out(LogFile& log) {
  if (log.count > 0 && log.failure == SQLITE_OK) {
    log.failure = below<&sqlite3_io_methods::xWrite>(log, log.gathered.get(),
                                                     static_cast<int>(log.count), log.at);
    log.at += log.count;
    log.count = 0;
  }
  return log.failure;
}

int write_log(sqlite3_file* file, const void* data, int bytes, sqlite3_int64 offset) {
  LogFile& log = of(file);
  if (offset != log.at + log.count) {
    write_out(log);
    log.at = offset;
  }
  for (std::string_view rest(static_cast<const char*>(data), static_cast<size_t>(bytes));
       !rest.empty() && log.failure == SQLITE_OK;) {
    if (log.count == kGatheredMaxBytes) write_out(log);
    const size_t fits = std::min(rest.size(), static_cast<size_t>(kGatheredMaxBytes - log.count));
    std::memcpy(log.gathered.get() + log.count, rest.data(), fits);
    log.count += static_cast<int64_t>(fits);
    rest.remove_prefix(fits);
  }
  return log.failure;
}

int close_log(sqlite3_file* file) {
  LogFile& log = of(file);
  const int written = write_out(log);
  const int closed = below<&sqlite3_io_methods::xClose>(log);
  log.~LogFile();
  return written != SQLITE_OK ? written : closed;
}

// What looks at the file finds in it what was written.
template <auto Method, class... Arguments>
int after_writing(sqlite3_file* file, Arguments... arguments) {
  if (const int code = write_out(of(file)); code != SQLITE_OK) return code;
  return below<Method>(of(file), arguments...);
}

template <auto Method, class... Arguments>
int pass(sqlite3_file* file, Arguments... arguments) {
  return below<Method>(of(file), arguments...);
}

using Methods = sqlite3_io_methods;
constexpr Methods kLogMethods = {
    .iVersion = 1,  // no shared memory, no mapping: SQLite wants neither of a log
    .xClose = close_log,
    .xRead = after_writing<&Methods::xRead>,
    .xWrite = write_log,
    .xTruncate = after_writing<&Methods::xTruncate>,
    .xSync = after_writing<&Methods::xSync>,
    .xFileSize = after_writing<&Methods::xFileSize>,
    .xLock = pass<&Methods::xLock>,
    .xUnlock = pass<&Methods::xUnlock>,
    .xCheckReservedLock = pass<&Methods::xCheckReservedLock>,
    .xFileControl = pass<&Methods::xFileControl>,
    .xSectorSize = pass<&Methods::xSectorSize>,
    .xDeviceCharacteristics = pass<&Methods::xDeviceCharacteristics>,
    .xShmMap = nullptr,
    .xShmLock = nullptr,
    .xShmBarrier = nullptr,
    .xShmUnmap = nullptr,
    .xFetch = nullptr,
    .xUnfetch = nullptr,
};

sqlite3_vfs* system_of(sqlite3_vfs* vfs) {
  return static_cast<sqlite3_vfs*>(vfs->pAppData);
}

int open_file(sqlite3_vfs* vfs, const char* name, sqlite3_file* file, int flags, int* out_flags) {
  sqlite3_vfs* system = system_of(vfs);
  if ((flags & SQLITE_OPEN_WAL) == 0) return system->xOpen(system, name, file, flags, out_flags);
  auto* log = new (file) LogFile{};
  log->gathered.reset(new (std::nothrow) char[kGatheredMaxBytes]);
  const int code =
      log->gathered ? system->xOpen(system, name, log->below(), flags, out_flags) : SQLITE_NOMEM;
  if (code == SQLITE_OK) {
    log->base.pMethods = &kLogMethods;
  } else {
    log->~LogFile();
    file->pMethods = nullptr;
  }
  return code;
}

sqlite3_vfs gathering(sqlite3_vfs* system) {
  sqlite3_vfs vfs{};
  vfs.iVersion = 1;
  vfs.szOsFile = static_cast<int>(sizeof(LogFile)) + system->szOsFile;
  vfs.mxPathname = system->mxPathname;
  vfs.zName = kName;
  vfs.pAppData = system;
  vfs.xOpen = open_file;
  vfs.xDelete = [](sqlite3_vfs* v, const char* name, int sync_dir) {
    return system_of(v)->xDelete(system_of(v), name, sync_dir);
  };
  vfs.xAccess = [](sqlite3_vfs* v, const char* name, int flags, int* out) {
    return system_of(v)->xAccess(system_of(v), name, flags, out);
  };
  vfs.xFullPathname = [](sqlite3_vfs* v, const char* name, int bytes, char* out) {
    return system_of(v)->xFullPathname(system_of(v), name, bytes, out);
  };
  vfs.xRandomness = [](sqlite3_vfs* v, int bytes, char* out) {
    return system_of(v)->xRandomness(system_of(v), bytes, out);
  };
  vfs.xSleep = [](sqlite3_vfs* v, int us) { return system_of(v)->xSleep(system_of(v), us); };
  vfs.xCurrentTime = [](sqlite3_vfs* v, double* out) {
    return system_of(v)->xCurrentTime(system_of(v), out);
  };
  vfs.xGetLastError = [](sqlite3_vfs* v, int bytes, char* out) {
    return system_of(v)->xGetLastError(system_of(v), bytes, out);
  };
  return vfs;
}

}  // namespace

// SQLite keeps a list of them for the whole process, and must be told but once.
Result<const char*> gathering_vfs() {
  static sqlite3_vfs* const system = sqlite3_vfs_find(kProcessVfs);
  static sqlite3_vfs vfs = system != nullptr ? gathering(system) : sqlite3_vfs{};
  static const int code = system != nullptr ? sqlite3_vfs_register(&vfs, 0) : SQLITE_ERROR;
  if (code == SQLITE_OK) return kName;
  return fail(Code::kInternal, "this SQLite has no VFS 'unix-excl', or takes no other");
}

}  // namespace perdure
