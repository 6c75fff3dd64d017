#pragma once
// How the program ends, whatever it was asked. docs/cli.md has the same table.
#include <string_view>

namespace perdure::cli {

inline constexpr int kDone = 0;
inline constexpr int kRefused = 1;   // by the server, or the words given make no sense
inline constexpr int kProblems = 2;  // what was looked at is not as it should be
inline constexpr int kNoServer = 3;  // none, or one that ends; nothing is known to have happened
inline constexpr int kFailed = 4;    // the task has failed, or was cancelled
inline constexpr int kIsAsking = 5;  // the task waits for a person: see `perdure inbox`
inline constexpr int kUsage = 64;    // EX_USAGE of sysexits.h: the command line cannot be read
inline constexpr int kStoreFailed = 74;   // EX_IOERR: nothing was acknowledged
inline constexpr int kDataDirInUse = 75;  // EX_TEMPFAIL: by another process; or the port is
inline constexpr int kInterrupted = 130;  // by ctrl-C; the task goes on

inline constexpr std::string_view kExitStatusHelp =
    "Exit status: 0 done, 1 refused, 2 problems found, 3 no server now, 4 the task failed,\n"
    "5 it waits for a person, 64 the command line cannot be read, 74 the store failed,\n"
    "75 the data directory or the port is in use, 130 ctrl-C. More is in docs/cli.md.";

}  // namespace perdure::cli
