#pragma once
// One child process, from clone(2) to execve(2).
#include <sys/resource.h>
#include <sys/types.h>

#include <string>
#include <utility>
#include <vector>

#include "base/error.h"

namespace perdure {

struct Launch {
  std::string path;
  std::vector<std::string> arguments;    // [0] is its name
  std::vector<std::string> environment;  // NAME=value
  std::string workdir = "/";
  // Become 0, 1, 2, and so on; nothing else is inherited. 1 is a pipe whose other end is ours.
  std::vector<int> descriptors;
  // In a user and a pid namespace that it is the first process of: when it ends, for whatever
  // reason, the kernel ends everything that it started.
  bool first_of_namespace = false;
  std::vector<std::pair<int, rlim_t>> limits;  // RLIMIT_...
};

struct Launched {
  pid_t pid = -1;
  int pidfd = -1;
};

// It dies with the calling thread. An error: nothing of it has run, and nothing is left.
Result<Launched> launch(const Launch& launch);

// A descriptor that a child can be given: closed on exec, and above those that it becomes.
int above_standard(int fd);

}  // namespace perdure
