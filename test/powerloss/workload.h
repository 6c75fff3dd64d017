#pragma once
// What the rig's own workloads share: the seed, the acknowledgement, the list of acknowledged ids.
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <string>
#include <vector>

namespace powerloss {

// How a verify command tells its verdict.
inline constexpr int kExitOk = 0, kExitLost = 1, kExitCorrupt = 2, kExitBroken = 3;

// Differs between the rounds of a trial, so that a round cannot hide that an earlier one lost its
// row.
inline std::string round_token() {
  const char* seed = getenv("POWERLOSS_SEED");
  return seed ? seed : "0";
}

// One system call: the line is there as a whole or not at all.
inline void acknowledge(const std::string& id) {
  const std::string line = "ack " + id + "\n";
  if (write(STDOUT_FILENO, line.data(), line.size()) != static_cast<ssize_t>(line.size()))
    _exit(kExitBroken);
}

inline std::vector<std::string> read_acks(const std::string& path) {
  std::ifstream in(path);
  std::vector<std::string> acks;
  for (std::string line; std::getline(in, line);) acks.push_back(line);
  return acks;
}

inline int verdict(int status, const std::string& why) {
  printf("%s\n", why.c_str());
  return status;
}

}  // namespace powerloss
