#pragma once
// Tells a log that was damaged from one that was cut short by a crash. SQLite takes the first frame
// that does not fit for the log's end, and says nothing: right after a crash, whose last commit was
// answered to nobody; wrong where commits stand behind it that were.
#include <cstdint>
#include <string>

#include "base/error.h"

namespace perdure {

struct LogCheck {
  uint64_t whole_frames = 0;    // from the log's beginning: what SQLite will read
  uint64_t lost_commits = 0;    // behind them, durable when they were made; 0: the log is sound
  uint64_t damage_at_byte = 0;  // where the first frame that does not fit begins
};

// A commit is known to have been durable by the one behind it, which is written only after the
// flush of the first, and carries on its checksum. So damage to the last commit cannot be told from
// a crash in the middle of it. A missing log is a sound one. Reads the file, which nobody has open.
// The format: https://www.sqlite.org/fileformat2.html#walformat
Result<LogCheck> check_log(const std::string& database_path);

// The same, as an error (kCorrupt) that says what to do.
Status require_sound_log(const std::string& database_path);

}  // namespace perdure
