// What a sandbox keeps from the command in it.
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "adapters/sandbox/bubblewrap.h"
#include "run.h"

namespace perdure {
namespace {

using testing::Ended;
using testing::Folder;
using ::testing::HasSubstr;
using ::testing::Not;
using testing::run;
using testing::shell;
using End = ProcessExit::End;

class Sandbox : public ::testing::Test {
 protected:
  void SetUp() override {
    if (const Status can = runner.try_sandbox(); !can) GTEST_SKIP() << can.error().message;
    std::filesystem::create_directories(folder / "work");
    std::filesystem::create_directories(folder / "data");
    std::ofstream(folder / "data/token") << "the token\n";
    std::ofstream(folder / "notes") << "notes\n";
  }
  ProcessSpec in_work(const std::string& command) {
    ProcessSpec spec = shell(command);
    spec.workdir = folder / "work";
    spec.writable = {folder / "work"};
    spec.hidden = {folder / "data"};
    return spec;
  }

  Folder folder;
  SandboxRunner runner{testing::kPath};
};

TEST_F(Sandbox, WritesToItsWorkspaceAndItsTmpAlone) {
  const Ended ended =
      run(runner, in_work("echo a > file; echo b > /tmp/file; cat file /tmp/file;"
                          "for d in / /usr /etc /dev /proc /home /root /var; do"
                          "  touch $d/x 2>/dev/null && echo wrote $d; done; exit 0"));
  EXPECT_EQ(ended.out, "a\nb\n");
  EXPECT_TRUE(std::filesystem::exists(folder / "work/file"));
  EXPECT_FALSE(std::filesystem::exists("/tmp/file"));
}

TEST_F(Sandbox, SeesNothingThatIsNotListed) {
  const Ended ended = run(runner, in_work("ls / " + folder.path() +
                                          "; ls -a /root /home /var /sys;"
                                          "cat /etc/shadow " +
                                          (folder / "notes")));
  EXPECT_THAT(ended.out, Not(HasSubstr("data")));
  EXPECT_THAT(ended.out, Not(HasSubstr("notes")));
  for (const char* name : {"home", "root", "var", "sys", "srv", "opt", "boot"}) {
    EXPECT_THAT(ended.out, Not(HasSubstr(std::string(name) + "\n")));
  }
}

TEST_F(Sandbox, SeesNoProcessOfTheMachine) {
  const Ended ended = run(runner, in_work("ls /proc | grep -c '^[0-9]'; kill -9 -1; echo alive"));
  EXPECT_LE(std::stoi(ended.out), 5);
}

TEST_F(Sandbox, HasNoNetwork) {
  const Ended ended = run(runner, in_work("tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d ' '"));
  EXPECT_EQ(ended.out, "lo\n");
  ProcessSpec spec = in_work("readlink /proc/self/ns/net");
  const std::string own = run(runner, spec).out;
  spec.network = true;
  const std::string shared = run(runner, spec).out;
  EXPECT_NE(own, shared);
  EXPECT_EQ(shared, std::filesystem::read_symlink("/proc/self/ns/net").string() + "\n");
}

TEST_F(Sandbox, HasNoPrivilegeAndGetsNone) {
  const Ended ended = run(runner, in_work("grep -E 'Cap(Eff|Bnd|Prm)|NoNewPrivs' /proc/self/status;"
                                          "unshare -Ur true 2>/dev/null && echo got one; exit 0"));
  EXPECT_EQ(ended.out,
            "CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapBnd:\t0000000000000000\n"
            "NoNewPrivs:\t1\n");
}

TEST_F(Sandbox, HidesWhatIsHiddenInsideOfWhatIsReadable) {
  ProcessSpec spec =
      in_work("cat " + (folder / "notes") + "; ls -A " + (folder / "data") + "; cat " +
              (folder / "data/token") + "; umount " + (folder / "data") + "; mv " +
              (folder / "data") + " " + (folder / "other") + "; cat " + (folder / "other/token"));
  spec.readable = {folder.path()};
  const Ended ended = run(runner, spec);
  EXPECT_EQ(ended.out, "notes\n");
  spec.hidden.push_back(folder / "notes");
  EXPECT_EQ(run(runner, spec).out, "");
}

TEST_F(Sandbox, RefusesToShowWhatIsHidden) {
  symlink((folder / "data").c_str(), (folder / "link").c_str());
  std::filesystem::create_directories(folder / "data/inner");
  struct {
    const char* what;
    std::vector<std::string> readable, writable;
  } const cases[] = {
      {"itself", {}, {folder / "data"}},
      {"readable", {folder / "data"}, {}},
      {"below it", {folder / "data/inner"}, {}},
      {"through a link", {folder / "link"}, {}},
      {"above it, writable", {}, {folder.path()}},
      {"the whole machine", {"/"}, {}},
      {"what is not there", {folder / "nothing"}, {}},
      {"a relative path", {"work"}, {}},
  };
  for (const auto& each : cases) {
    ProcessSpec spec = in_work("echo ran");
    spec.readable = each.readable;
    spec.writable.insert(spec.writable.end(), each.writable.begin(), each.writable.end());
    const Ended ended = run(runner, spec);
    EXPECT_EQ(ended.exit.end, End::kNotStarted) << each.what;
    EXPECT_EQ(ended.out, "") << each.what;
  }
}

TEST_F(Sandbox, FollowsLinksInWhatIsListed) {
  symlink((folder / "work").c_str(), (folder / "link").c_str());
  ProcessSpec spec = in_work("echo a > file; cat " + (folder / "link/file") + "; pwd");
  spec.writable = {(folder / "link") + "/"};
  spec.workdir = folder / "link";
  EXPECT_EQ(run(runner, spec).out, "a\n" + (folder / "work") + "\n");
}

TEST_F(Sandbox, BoundsItsMemoryFolders) {
  ProcessSpec spec = in_work(
      "for f in /tmp/f /dev/shm/f; do"
      "  head -c 3000000 /dev/zero 2>/dev/null > $f; stat -c %s $f; done");
  spec.limits.tmp_bytes = 1u << 20;
  EXPECT_EQ(run(runner, spec).out, "1048576\n1048576\n");
}

// The kernel does not hold root to a number.
TEST_F(Sandbox, BoundsTheNumberOfProcessesOfAnOrdinaryUser) {
  ProcessSpec spec = in_work(
      "id -u; touch made; i=0; while [ $i -lt 30 ]; do sleep 5 & i=$((i+1));"
      "done; echo all");
  spec.limits.processes = 10;
  const int started = testing::as_ordinary_user(folder.path(), [&] {
    SandboxRunner own(testing::kPath);
    if (run(own, spec).err.find("fork") == std::string::npos) return 1;
    spec.limits.processes = 40;
    return run(own, spec).out == std::to_string(geteuid()) + "\nall\n" ? 0 : 2;
  });
  EXPECT_EQ(started, 0);
  EXPECT_TRUE(std::filesystem::exists(folder / "work/made"));
}

TEST_F(Sandbox, TellsAnExitStatusOfOneFromASandboxThatFailed) {
  EXPECT_EQ(run(runner, in_work("exit 1")).exit.end, End::kExited);
  ProcessSpec spec = in_work("exit 0");
  spec.workdir = folder / "data";  // exists, but not in there
  const Ended ended = run(runner, spec);
  EXPECT_EQ(ended.exit.end, End::kNotStarted);
  EXPECT_THAT(ended.exit.detail, HasSubstr("the sandbox could not be set up: bwrap: "));
}

TEST(SandboxMissing, RefusesAndRunsNothing) {
  SandboxRunner runner("/no/such/folder:relative::/usr/lib");
  const Status can = runner.try_sandbox();
  ASSERT_FALSE(can);
  EXPECT_THAT(can.error().message, HasSubstr("install the package bubblewrap"));
  const Ended ended = run(runner, shell("echo ran"));
  EXPECT_EQ(ended.exit.end, End::kNotStarted);
  EXPECT_EQ(ended.out, "");
}

TEST(IsWithin, ComparesWholeNames) {
  EXPECT_TRUE(is_within("/a/b", "/a/b"));
  EXPECT_TRUE(is_within("/a/b/c", "/a/b"));
  EXPECT_TRUE(is_within("/a", "/"));
  EXPECT_FALSE(is_within("/a/bc", "/a/b"));
  EXPECT_FALSE(is_within("/a", "/a/b"));
}

}  // namespace
}  // namespace perdure
