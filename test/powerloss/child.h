#pragma once
// Runs a tracked child until it is dead, with everything that it started.
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"

namespace powerloss {

// Splits at blanks and replaces {dir} and {acks}.
std::vector<std::string> words(const std::string& command, const std::string& dir,
                               const std::string& acks);

struct Outcome {
  std::string output;  // of its stdout
  int status = 0;      // as waitpid gives it
  bool timed_out = false;
};

// In a process group of its own, which is killed when the process ends or the time is over, and
// `environment`
// ("NAME=value") added to ours.
perdure::Result<Outcome> run_process(const std::vector<std::string>& arguments,
                                     const std::vector<std::string>& environment, int timeout_s);

}  // namespace powerloss
