// What holds with and without a sandbox: streams, ends, limits, nothing left behind.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <set>
#include <thread>

#include "run.h"

namespace perdure {
namespace {

using testing::Ended;
using testing::Folder;
using ::testing::HasSubstr;
using testing::run;
using testing::Running;
using testing::shell;
using End = ProcessExit::End;
using Isolation = ProcessSpec::Isolation;

class AnyProcess : public ::testing::TestWithParam<Isolation> {
 protected:
  void SetUp() override {
    if (GetParam() != Isolation::kSandbox) return;
    if (const Status can = runner.try_sandbox(); !can) GTEST_SKIP() << can.error().message;
  }
  ProcessSpec command(const std::string& text) { return shell(text, GetParam()); }

  SandboxRunner runner{testing::kPath};
};

INSTANTIATE_TEST_SUITE_P(Isolations, AnyProcess,
                         ::testing::Values(Isolation::kSandbox, Isolation::kSameUser),
                         [](const auto& info) {
                           return info.param == Isolation::kSandbox ? "sandbox" : "same_user";
                         });

TEST_P(AnyProcess, TellsStreamsAndStatus) {
  const Ended ended = run(runner, command("echo out; echo err >&2; exit 7"));
  EXPECT_EQ(ended.exit.end, End::kExited);
  EXPECT_EQ(ended.exit.status, 7);
  EXPECT_EQ(ended.out, "out\n");
  EXPECT_EQ(ended.err, "err\n");
}

TEST_P(AnyProcess, GetsItsInputInOrder) {
  Running running(runner, command("cat"));
  EXPECT_TRUE(running.process->write("one "));
  EXPECT_TRUE(running.process->write(std::string(300'000, 'x')));
  EXPECT_TRUE(running.process->write(" two"));
  running.process->close_stdin();
  EXPECT_FALSE(running.process->write("too late"));
  EXPECT_EQ(running.wait().out, "one " + std::string(300'000, 'x') + " two");
}

TEST_P(AnyProcess, TakesNoMoreInputThanMayWait) {
  ProcessSpec spec = command("sleep 30");
  spec.limits.stdin_bytes = 200'000;
  Running running(runner, std::move(spec));
  EXPECT_TRUE(running.process->write(std::string(200'000, 'x')));
  EXPECT_FALSE(running.process->write(std::string(200'000, 'x')));
  running.process->kill();
  EXPECT_EQ(running.wait().exit.end, End::kKilled);
}

TEST_P(AnyProcess, InputThatNobodyReadsIsDropped) {
  Running running(runner, command("exec <&-; echo closed; read x; exit 3"));
  running.process->write(std::string(300'000, 'x'));
  const Ended ended = running.wait();
  EXPECT_EQ(ended.exit.end, End::kExited);
  EXPECT_FALSE(running.process->write("x"));
}

TEST_P(AnyProcess, HasTheGivenEnvironmentAlone) {
  setenv("PERDURE_TEST_SECRET", "s3cret", 1);
  ProcessSpec spec = command("env");
  spec.environment.emplace_back("GIVEN", "a b=c");
  const Ended ended = run(runner, std::move(spec));
  unsetenv("PERDURE_TEST_SECRET");
  EXPECT_THAT(ended.out, HasSubstr("GIVEN=a b=c\n"));
  std::set<std::string> names;
  for (size_t at = 0; at < ended.out.size(); at = ended.out.find('\n', at) + 1) {
    names.insert(ended.out.substr(at, ended.out.find('=', at) - at));
  }
  // The shell sets the last ones itself.
  for (const char* usual : {"PWD", "OLDPWD", "SHLVL", "_"}) names.erase(usual);
  EXPECT_EQ(names, (std::set<std::string>{"PATH", "GIVEN"}));
}

TEST_P(AnyProcess, InheritsNoDescriptor) {
  const int leaky = open("/dev/null", O_RDONLY);  // not closed on exec
  const Ended ended = run(runner, command("ls /proc/self/fd"));
  close(leaky);
  EXPECT_EQ(ended.out, "0\n1\n2\n3\n");  // 3 is the folder that ls reads
}

TEST_P(AnyProcess, HasTheUsualSignalsAndFileLimit) {
  signal(SIGPIPE, SIG_IGN);
  const Ended ended = run(runner, command("grep -E 'Sig(Ign|Blk)' /proc/self/status; ulimit -n"));
  signal(SIGPIPE, SIG_DFL);
  EXPECT_EQ(ended.out, "SigBlk:\t0000000000000000\nSigIgn:\t0000000000000000\n1024\n");
}

TEST_P(AnyProcess, IsKilledWhenItsTimeIsOver) {
  ProcessSpec spec = command("echo begun; sleep 30");
  spec.limits.wall_ms = 300;
  const Ended ended = run(runner, std::move(spec));
  EXPECT_EQ(ended.exit.end, End::kTimedOut);
  EXPECT_EQ(ended.out, "begun\n");
}

TEST_P(AnyProcess, IsKilledWhenItWritesTooMuch) {
  ProcessSpec spec = command("yes");
  spec.limits.output_bytes = 100'000;
  const Ended ended = run(runner, std::move(spec));
  EXPECT_EQ(ended.exit.end, End::kOutputLimit);
  EXPECT_EQ(ended.out.size(), 100'000u);
}

TEST_P(AnyProcess, IsKilledWhenItsDiskIsNearlyFull) {
  ProcessSpec spec = command("sleep 30");
  spec.limits.disk_bytes = UINT64_MAX;
  const Ended ended = run(runner, spec);
  EXPECT_EQ(ended.exit.end, End::kDiskFull);
  EXPECT_THAT(ended.exit.detail, HasSubstr("left"));
  spec.command.back() = "sleep 0.3; echo done";
  spec.limits.disk_bytes = 1;
  EXPECT_EQ(run(runner, spec).out, "done\n");
}

TEST_P(AnyProcess, IsHeldToItsLimits) {
  ProcessSpec spec = command("ulimit -c; ulimit -t; ulimit -v; ulimit -f");
  spec.limits.cpu_s = 11;
  spec.limits.memory_bytes = 512u << 20;
  spec.limits.file_bytes = 1u << 20;
  EXPECT_EQ(run(runner, spec).out, "0\n11\n524288\n2048\n");
  spec.command.back() = "while :; do :; done";
  spec.limits.cpu_s = 1;
  const Ended busy = run(runner, spec);
  EXPECT_EQ(busy.exit.status % 128, SIGKILL) << busy.exit.detail;
}

TEST_P(AnyProcess, CannotBeStartedWithoutAProgram) {
  ProcessSpec spec = command("");
  spec.command = {"no-such-program"};
  const Ended ended = run(runner, spec);
  EXPECT_EQ(ended.exit.end, End::kNotStarted);
  EXPECT_THAT(ended.exit.detail, HasSubstr("no-such-program"));
  spec.command = {};
  EXPECT_EQ(run(runner, spec).exit.end, End::kNotStarted);
  spec.command = {std::string("/bin/echo\0x", 11)};
  EXPECT_EQ(run(runner, spec).exit.end, End::kNotStarted);
  spec.command = {"sh", "-c", "echo found"};
  EXPECT_EQ(run(runner, spec).out, "found\n");
  spec.workdir = "/no/such/folder";
  EXPECT_EQ(run(runner, spec).exit.end, End::kNotStarted);
}

// Names the folder in the command line of each of its processes.
ProcessSpec lasting(ProcessSpec spec, const std::string& folder, const std::string& then) {
  spec.command.back() = "sh -c 'sleep 60; : " + folder + "' & echo begun; " + then;
  return spec;
}

TEST_P(AnyProcess, DiesWithItsHandleAndSoDoesWhatItStarted) {
  const Folder folder;
  std::promise<void> begun;
  Running running(runner, lasting(command(""), folder.path(), "wait"), [&](const std::string& out) {
    if (out == "begun\n") begun.set_value();
  });
  begun.get_future().wait();
  EXPECT_GE(testing::count_processes(folder.path()), 1);
  running.process.reset();
  EXPECT_EQ(running.wait().exit.end, End::kKilled);
  // In a sandbox it is so when the end is told.
  if (GetParam() == Isolation::kSandbox) EXPECT_EQ(testing::count_processes(folder.path()), 0);
  EXPECT_TRUE(testing::are_gone(folder.path()));
}

TEST_P(AnyProcess, WhatItLeftBehindIsKilledAtItsEnd) {
  const Folder folder;
  const Ended ended = run(runner, lasting(command(""), folder.path(), "exit 4"));
  EXPECT_EQ(ended.exit.end, End::kExited);
  EXPECT_EQ(ended.exit.status, 4);
  if (GetParam() == Isolation::kSandbox) EXPECT_EQ(testing::count_processes(folder.path()), 0);
  EXPECT_TRUE(testing::are_gone(folder.path()));
}

TEST_P(AnyProcess, LeavesNoChildAndNoDescriptor) {
  const auto count = [] {
    const std::filesystem::directory_iterator folder("/proc/self/fd");
    return std::distance(begin(folder), end(folder));
  };
  run(runner, command("true"));
  const auto before = count();
  for (int i = 0; i < 20; ++i) {
    Running running(runner, command("sleep 30 & sleep 30"));
    if (i % 2 == 0) running.process->kill();
    if (i % 2 == 1) running.process.reset();
    running.wait();
  }
  EXPECT_EQ(count(), before);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);  // no child at all
}

TEST_P(AnyProcess, TheRunnerTakesAllWithIt) {
  auto mine = std::make_unique<SandboxRunner>(testing::kPath);
  Running one(*mine, command("sleep 30"));
  Running two(*mine, command("sleep 30"));
  mine.reset();
  EXPECT_EQ(one.wait().exit.end, End::kKilled);
  EXPECT_EQ(two.wait().exit.end, End::kKilled);
  EXPECT_EQ(waitpid(-1, nullptr, WNOHANG), -1);
  EXPECT_FALSE(one.process->write("x"));
}

TEST_P(AnyProcess, ManyAtOnceFromManyThreads) {
  std::vector<std::thread> threads;
  std::atomic<int> right = 0;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&, t] {
      for (int i = 0; i < 10; ++i) {
        const Ended ended = run(runner, command("echo " + std::to_string(t * 100 + i)));
        if (ended.out == std::to_string(t * 100 + i) + "\n") ++right;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(right, 40);
}

// The server is killed while its child begins or runs; outside a sandbox it is the child alone.
TEST_P(AnyProcess, DiesWithTheServerAtAnyMoment) {
  const Folder folder;
  const std::string busy = "while :; do : " + folder.path() + "; done";
  for (int delay_ms = 0; delay_ms < 40; delay_ms += 2) {
    const pid_t server = fork();
    if (server == 0) {
      SandboxRunner own(testing::kPath);
      Running running(own, GetParam() == Isolation::kSandbox
                               ? lasting(command(""), folder.path(), "wait")
                               : command(busy));
      pause();
    }
    poll(nullptr, 0, delay_ms);
    kill(server, SIGKILL);
    waitpid(server, nullptr, 0);
    EXPECT_TRUE(testing::are_gone(folder.path())) << "after " << delay_ms << " ms";
  }
}

}  // namespace
}  // namespace perdure
