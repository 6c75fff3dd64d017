#pragma once
// Turns what a killed child left behind into a state that a power loss could have left.
//
// Of the bytes that were not synced, each 512-byte sector independently keeps any of the versions
// that it had since the last sync of its file; the size of a file keeps any of its values since
// then, in order, and a lost truncation loses what was written after it. Of the names that were not
// synced, each directory keeps a prefix of its changes. Bytes and names are independent: a name may
// last without its bytes.
#include <cstdint>
#include <string>

#include "base/error.h"

namespace powerloss {

enum class Loss { kAll, kNone, kSome };

struct RollbackReport {
  uint64_t records = 0;
  uint64_t sectors_lost = 0;
  uint64_t sizes_lost = 0;
  uint64_t names_lost = 0;
};

// `dir` is the tracked directory, `state_dir` what PF_STATE named. Every process of the child is
// dead. The same log, seed and loss give the same state. Not to be run twice on one log.
perdure::Result<RollbackReport> roll_back(const std::string& dir, const std::string& state_dir,
                                          uint64_t seed, Loss loss);

}  // namespace powerloss
