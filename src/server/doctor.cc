#include "server/doctor.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdio>
#include <memory>
#include <string_view>
#include <utility>

#include "adapters/files/file_blobs.h"
#include "adapters/files/snapshot_files.h"
#include "adapters/sqlite/doctor.h"
#include "adapters/sqlite/mend.h"
#include "adapters/system/system_clock.h"
#include "cli/exit_status.h"
#include "engine/audit.h"

namespace perdure::server {
namespace {

constexpr int64_t kTellEveryMs = 5000;

// Says every few seconds how far it is.
class Progress {
 public:
  explicit Progress(std::string_view what) : what_(what), told_ms_(clock_.unix_ms()) {}
  void operator()(uint64_t done) {
    if (done % 256 != 0) return;
    const int64_t now_ms = clock_.unix_ms();
    if (now_ms - told_ms_ < kTellEveryMs) return;
    told_ms_ = now_ms;
    fmt::print(stderr, "perdure: {} {}\n", done, what_);
  }

 private:
  std::string_view what_;
  SystemClock clock_;
  int64_t told_ms_;
};

int refused(const Error& error) {
  fmt::print(stderr, "perdure: {}\n", error.message);
  return cli::kRefused;
}

// As far as it can be read: nothing is excused otherwise.
std::set<TaskId> given_up_in(const std::string& dir) {
  const auto store = inspect_store(dir);
  if (!store) return {};
  return engine::given_up(**store).value_or(std::set<TaskId>());
}

// Counts what it prints.
uint64_t audit(const std::string& dir, const std::set<TaskId>& given_up) {
  uint64_t problems = 0;
  const auto problem = [&](const std::string& what) {
    if (++problems <= StoreReport::kProblemsMax) fmt::print("problem: {}\n", what);
  };
  const auto store = inspect_store(dir);
  if (!store && store.error().code == Code::kUnsupported) {
    fmt::print("{}\n", store.error().message);
    return 0;
  }
  Status done = store ? Status{} : tl::unexpected(store.error());
  if (done) {
    done = engine::audit(**store, given_up,
                         {problem, [](const std::string& what) { fmt::print("{}\n", what); },
                          Progress("tasks folded")});
  }
  if (!done) problem(done.error().message);
  return problems;
}

// No problem: the server removes such a file when it meets it, and folds the journal.
void tell_damaged_snapshots(const std::string& dir) {
  check_snapshot_files(dir, [](const std::string& path) {
    fmt::print("note: the snapshot {} is not what was written, and nobody needs it\n", path);
  });
}

int examine(const std::string& dir) {
  ExamineOptions options;
  options.given_up = given_up_in(dir);
  options.progress = Progress("frames verified");
  const auto blobs = FileBlobs::view(dir);
  const auto examined = examine_store(dir, blobs.get(), options);
  if (!examined) return refused(examined.error());
  for (const std::string& problem : examined->problems) fmt::print("problem: {}\n", problem);
  const uint64_t problems = examined->problem_count + audit(dir, options.given_up);
  tell_damaged_snapshots(dir);
  fmt::print("{} tasks, {} frames, {} records, {} problems\n", examined->tasks, examined->frames,
             examined->records, problems);
  return problems == 0 ? 0 : cli::kProblems;
}

Status repair(const std::string& dir) {
  uint64_t done = 0;
  const auto note = [&](const std::string& what) {
    ++done;
    fmt::print("{}\n", what);
  };
  TRY_ASSIGN(const std::unique_ptr<ClosedStore> store, open_to_mend(dir, note));
  TRY_ASSIGN(const std::set<TaskId> given_up, engine::given_up(*store));
  SystemClock clock;
  const auto blobs = FileBlobs::view(dir);
  TRY_STATUS(engine::mend(*store, *blobs, given_up, clock.unix_ms(),
                          {note, note, Progress("tasks mended")}));
  TRY_STATUS(store->mend_lists(note));
  check_snapshot_files(dir, [&](const std::string& path) {
    if (unlink(path.c_str()) == 0) note("the damaged snapshot " + path + " was removed");
  });
  if (done == 0) fmt::print("nothing to repair\n");
  return {};
}

}  // namespace

int run_doctor(const DoctorFlags& flags) {
  if (flags.forget_lost_commits) {
    const auto forgotten = forget_lost_commits(flags.dir);
    if (!forgotten) return refused(forgotten.error());
    if (*forgotten > 0) {
      fmt::print("forgotten: at least {} commits behind the damage in the log\n", *forgotten);
    } else {
      fmt::print(
          "forgotten: what the newest commit was; the newest one that is there is taken for it\n");
    }
  }
  if (flags.repair) {
    if (const Status repaired = repair(flags.dir); !repaired) return refused(repaired.error());
  }
  return examine(flags.dir);
}

}  // namespace perdure::server
