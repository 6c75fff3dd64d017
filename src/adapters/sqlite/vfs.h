#pragma once
// What SQLite's connections reach their files through (https://www.sqlite.org/vfs.html). The
// reasons and the figures: docs/adr/003.
#include "base/error.h"

namespace perdure {

// SQLite's own, for the connections of one process: the index of the log stands in its memory, and
// a commit asks the system for no file locks. All connections to a file that is written use it.
inline constexpr const char* kProcessVfs = "unix-excl";

// The same, but what is written to the log gathers until it is synced, read or measured: one write
// a commit. Only for a connection that syncs each commit, since others read what it has committed.
Result<const char*> gathering_vfs();

}  // namespace perdure
