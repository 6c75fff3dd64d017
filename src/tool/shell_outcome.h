#pragma once
// What the end of a command means. docs/guarantees.md, below "What an HTTP answer means":
//
//   exit status 0            succeeded
//   any other exit status    failed
//   nothing of it has run    not sent
//   killed: its time was over, it flooded, its disk was nearly full,    in doubt; failed where it
//           nobody wants it any more                                    may run more than once
//   anything else (the sandbox was killed by somebody, we stop)         in doubt
#include <string>

#include "base/mask.h"
#include "journal/command.h"
#include "journal/effect.h"
#include "ports/process.h"

namespace perdure {

// The beginning of what a command wrote.
struct KeptOutput {
  std::string bytes;
  bool cut = false;

  void add(std::string_view more, size_t max_bytes);
};

// `unwanted`: it was killed because its outcome was no longer wanted. Texts are masked. The result
// is {exit_code?, stdout, stderr, truncated?}.
SettleStep classify_shell(const Send& send, const ProcessExit& exit, bool unwanted, KeptOutput out,
                          KeptOutput err, const Masker& masker);

}  // namespace perdure
