// The process that the rigs end.
//   crash_child run DIR               talks to the kill rig on stdin and stdout (child.h)
//   crash_child alone DIR sync|no-sync   is its own world; a child of the power-loss rig
//   crash_child verify DIR ACKS       judges what such children acknowledged
//   crash_child crash-points
// PERDURE_PLANT names a bug that is planted.
#include <fmt/core.h>
#include <unistd.h>

#include <condition_variable>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <fstream>
#include <mutex>
#include <string>

#include "adapters/system/system_clock.h"
#include "base/crash_points.h"
#include "base/hooks.h"
#include "crash/child.h"
#include "crash/journals.h"
#include "crash/words.h"
#include "crash/world.h"
#include "powerloss/workload.h"

namespace perdure::crash {
namespace {

// One system call where it can be: a line is there as a whole or not at all.
void write_line(std::string line) {
  line += '\n';
  for (size_t done = 0; done < line.size();) {
    const ssize_t put = write(STDOUT_FILENO, line.data() + done, line.size() - done);
    if (put <= 0) _exit(powerloss::kExitBroken);
    done += static_cast<size_t>(put);
  }
}

int report(const Status& status) {
  if (status) return 0;
  fmt::print(stderr, "crash_child: {}\n", status.error().message);
  return powerloss::kExitBroken;
}

// Until the rig says "quit", or is gone.
Status run(const std::string& dir) {
  TRY_ASSIGN(const auto child, Child::start({dir, false}, write_line));
  Lines lines;
  std::string line(64 * 1024, '\0');
  for (;;) {
    const ssize_t got = read(STDIN_FILENO, line.data(), line.size());
    if (got <= 0) return fail(Code::kCancelled, "the rig is gone");
    lines.add({line.data(), static_cast<size_t>(got)});
    for (std::string one; lines.next(one);) {
      if (one == "quit") return {};
      TRY_STATUS(child->hear(one));
    }
  }
}

// The world in this process: what it says comes back through a queue, on the main thread.
Status run_alone(const std::string& dir, bool no_sync) {
  WorldOptions options;
  options.seed = std::stoull(powerloss::round_token());
  options.jobs = 3;
  options.large = options.seed % 4 == 0;
  options.delay_us = 0;
  World world(options);
  std::mutex mutex;
  std::condition_variable came;
  std::deque<std::string> said;
  TRY_ASSIGN(const auto child, Child::start({dir, no_sync}, [&](const std::string& line) {
               if (line.starts_with("ack ")) write_line(line);
               const std::lock_guard lock(mutex);
               said.push_back(line);
               came.notify_one();
             }));
  world.begin_life(0);
  for (;;) {
    for (const std::string& line : world.take_due(0)) TRY_STATUS(child->hear(line));
    if (world.all_ended()) break;
    std::unique_lock lock(mutex);
    came.wait(lock, [&] { return !said.empty(); });
    const std::deque<std::string> lines = std::exchange(said, {});
    lock.unlock();
    for (const std::string& line : lines) world.hear(line, 0);
  }
  if (world.problems().empty()) return {};
  return fail(Code::kInternal, world.problems().front());
}

int verify(const std::string& dir, const std::string& acks_path) {
  Claims claims;
  for (const std::string& ack : powerloss::read_acks(acks_path)) {
    std::string why;
    if (!claims.add(ack, why)) return powerloss::verdict(powerloss::kExitCorrupt, why);
  }
  const Judgement judged = judge(dir, claims);
  for (const std::string& problem : judged.corrupt) fmt::print("corrupt: {}\n", problem);
  for (const std::string& problem : judged.lost) fmt::print("lost: {}\n", problem);
  if (!judged.corrupt.empty()) return powerloss::kExitCorrupt;
  return judged.lost.empty() ? powerloss::kExitOk : powerloss::kExitLost;
}

}  // namespace
}  // namespace perdure::crash

int main(int count, char** arguments) {
  using namespace perdure;
  const std::vector<std::string> args(arguments + 1, arguments + count);
  signal(SIGPIPE, SIG_IGN);
  if (args.size() == 2 && args[0] == "run") return crash::report(crash::run(args[1]));
  if (args.size() == 3 && args[0] == "alone") {
    return crash::report(crash::run_alone(args[1], args[2] == "no-sync"));
  }
  if (args.size() == 3 && args[0] == "verify") return crash::verify(args[1], args[2]);
  if (args.size() == 1 && args[0] == "crash-points") {
    for (const std::string_view point : hooks::kCrashPoints) fmt::print("{}\n", point);
    return 0;
  }
  fmt::print(stderr,
             "crash_child run DIR | alone DIR sync|no-sync | verify DIR ACKS | crash-points\n");
  return powerloss::kExitBroken;
}
