#pragma once
// Tells a log that was damaged from one that was cut short by a crash. SQLite takes the first frame
// that does not fit for the log's end, and says nothing: right after a crash, whose last commit was
// answered to nobody; wrong where commits stand behind it that were.
#include <cstdint>
#include <string>

#include "base/error.h"

namespace perdure {

struct LogCheck {
  uint64_t whole_frames = 0;    // from the log's beginning; SQLite reads the commits among them
  uint64_t lost_commits = 0;    // at least so many behind them were durable; 0: the log is sound
  uint64_t damage_at_byte = 0;  // where the first frame that does not fit begins; 0: the header
};

// A commit is known to have been durable by the one behind it, which is written only after the
// flush of the first, and carries on its checksum. So damage to the last commit cannot be told from
// a crash in the middle of it, nor can damage to the mark that ends the one before. A missing log
// is a sound one. Reads the file, which nobody has open. The format:
// https://www.sqlite.org/fileformat2.html#walformat
Result<LogCheck> check_log(const std::string& database_path);

// The same, as an error (kCorrupt) that says what to do.
Status require_sound_log(const std::string& database_path);

// Marks a log as empty whose frames are all in the database, durably: SQLite finds no header, and
// begins anew. That the salts stay tells it from a header that was lost with what is behind it.
Status mark_emptied(const std::string& database_path);

}  // namespace perdure
