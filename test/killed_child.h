#pragma once
// Runs one test of this program in a process of its own, which a crash point ends. A new program,
// not only a fork: crash points read the environment once.
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>

#include <string>
#include <vector>

extern char** environ;

namespace perdure::test {

// `test` is a disabled one, "Suite.DISABLED_Name"; it finds `dir` in PERDURE_TEST_DIR. True if the
// process was killed at `crash_at` ("name:n").
inline bool killed_at(const std::string& crash_at, const std::string& test,
                      const std::string& dir) {
  std::vector<std::string> args = {"child", "--gtest_also_run_disabled_tests",
                                   "--gtest_filter=" + test};
  std::vector<std::string> settings = {"PERDURE_CRASH_AT=" + crash_at, "PERDURE_TEST_DIR=" + dir};
  std::vector<char*> argv, env;
  for (std::string& arg : args) argv.push_back(arg.data());
  for (std::string& setting : settings) env.push_back(setting.data());
  for (char** inherited = environ; *inherited; ++inherited) env.push_back(*inherited);
  argv.push_back(nullptr);
  env.push_back(nullptr);
  pid_t child = 0;
  if (posix_spawn(&child, "/proc/self/exe", nullptr, nullptr, argv.data(), env.data()) != 0) {
    return false;
  }
  int status = 0;
  return waitpid(child, &status, 0) == child && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
}

}  // namespace perdure::test
