#include "trial.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "child.h"
#include "dice.h"
#include "pf_log.h"

namespace powerloss {
namespace {

namespace fs = std::filesystem;
using perdure::Code;
using perdure::fail;
using perdure::Status;

constexpr int kVerifyTimeoutS = 120;

struct Places {
  explicit Places(const std::string& scratch)
      : dir(scratch + "/data"), state(scratch + "/state"), acks(scratch + "/acks") {}
  std::string dir, state, acks;
};

Status empty(const Places& places) {
  std::error_code error;
  fs::remove_all(places.dir, error);
  fs::create_directories(places.dir, error);
  if (error) return fail(Code::kInternal, places.dir + ": " + error.message());
  return {};
}

// The mapped control page of a fresh log.
class LogFile {
 public:
  static perdure::Result<LogFile> create(const Places& places, uint64_t kill_before) {
    std::error_code error;
    fs::remove_all(places.state, error);
    fs::create_directories(places.state + "/" + kTrashName, error);
    const int fd =
        open((places.state + "/" + kLogName).c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    const off_t bytes = static_cast<off_t>(kControlBytes + kLogCapacityBytes);
    if (fd < 0 || ftruncate(fd, bytes) != 0) return fail(Code::kInternal, "cannot make the log");
    void* base = mmap(nullptr, kControlBytes, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (base == MAP_FAILED) return fail(Code::kInternal, "cannot map the log");
    LogFile log;
    log.control_ = static_cast<Control*>(base);
    pthread_mutexattr_t kind;
    pthread_mutexattr_init(&kind);
    pthread_mutexattr_setpshared(&kind, PTHREAD_PROCESS_SHARED);
    pthread_mutexattr_setrobust(&kind, PTHREAD_MUTEX_ROBUST);
    pthread_mutex_init(&log.control_->lock, &kind);
    pthread_mutexattr_destroy(&kind);
    log.control_->kill_before = kill_before;
    return log;
  }
  LogFile(LogFile&& other) noexcept : control_(std::exchange(other.control_, nullptr)) {}
  LogFile& operator=(LogFile&&) = delete;
  ~LogFile() {
    if (control_) munmap(control_, kControlBytes);
  }
  const Control& control() const { return *control_; }

 private:
  LogFile() = default;
  Control* control_ = nullptr;
};

// A line counts once it is whole.
void take_acks(const std::string& output, std::vector<std::string>& acks) {
  constexpr std::string_view kMark = "ack ";
  size_t from = 0;
  for (size_t end; (end = output.find('\n', from)) != std::string::npos; from = end + 1) {
    const std::string_view line(output.data() + from, end - from);
    if (line.starts_with(kMark)) acks.emplace_back(line.substr(kMark.size()));
  }
}

struct Round {
  bool killed = false;
  bool failed = false;  // ended by itself with an error
  uint64_t ops = 0;
};

perdure::Result<Round> run_round(const TrialPlan& plan, const Places& places, uint64_t kill_before,
                                 uint64_t seed, std::vector<std::string>& acks) {
  TRY_ASSIGN(const LogFile log, LogFile::create(places, kill_before));
  const std::vector<std::string> environment = {
      "LD_PRELOAD=" + plan.shim, std::string(kDirVariable) + "=" + places.dir,
      std::string(kStateVariable) + "=" + places.state, "POWERLOSS_SEED=" + std::to_string(seed)};
  TRY_ASSIGN(const Outcome outcome, run_process(words(plan.child, places.dir, places.acks),
                                                environment, plan.child_timeout_s));
  if (log.control().attached == 0)
    return fail(Code::kInternal, "the child did not load " + plan.shim);
  take_acks(outcome.output, acks);
  const bool killed = log.control().dead != 0;
  const bool ended_well = WIFEXITED(outcome.status) && WEXITSTATUS(outcome.status) == 0;
  return Round{killed, !killed && !ended_well && !outcome.timed_out, log.control().ops};
}

perdure::Result<Verdict> verify(const TrialPlan& plan, const Places& places,
                                const std::vector<std::string>& acks, std::string& detail) {
  std::ofstream file(places.acks, std::ios::trunc);
  for (const std::string& ack : acks) file << ack << '\n';
  file.close();
  if (!file) return fail(Code::kInternal, "cannot write " + places.acks);
  TRY_ASSIGN(const Outcome outcome,
             run_process(words(plan.verify, places.dir, places.acks), {}, kVerifyTimeoutS));
  detail += outcome.output;
  while (!detail.empty() && detail.back() == '\n') detail.pop_back();
  const int code = WIFEXITED(outcome.status) ? WEXITSTATUS(outcome.status) : -1;
  if (code == 0) return Verdict::kOk;
  if (code == 1) return Verdict::kLost;
  if (code != 2) detail += " (verify ended with status " + std::to_string(outcome.status) + ")";
  if (code == 127) return fail(Code::kNotFound, "cannot run the verify command");
  return Verdict::kCorrupt;
}

}  // namespace

perdure::Result<TrialResult> run_trial(const TrialPlan& plan, uint64_t seed) {
  const Places places(plan.scratch);
  TRY_STATUS(empty(places));
  Dice dice(seed);
  TrialResult result;
  std::ostringstream story;
  std::vector<std::string> acks;
  bool failed = false;
  const uint64_t rounds = 1 + dice.below(static_cast<uint64_t>(plan.max_rounds));
  for (uint64_t i = 0; i < rounds; i++) {
    const uint64_t kill_before = 1 + dice.below(plan.max_ops);
    const uint64_t mode = dice.below(6);  // mostly "some": it has the most states
    const Loss loss = mode == 0 ? Loss::kAll : mode == 1 ? Loss::kNone : Loss::kSome;
    TRY_ASSIGN(const Round round, run_round(plan, places, kill_before, dice.next(), acks));
    TRY_ASSIGN(const RollbackReport report, roll_back(places.dir, places.state, dice.next(), loss));
    if (round.failed && i == 0)
      return fail(Code::kInternal, "the child failed in a fresh directory");
    failed |= round.failed;
    result.losses_of_power++;
    result.killed += round.killed;
    result.rolled_back.records += report.records;
    result.rolled_back.sectors_lost += report.sectors_lost;
    result.rolled_back.sizes_lost += report.sizes_lost;
    result.rolled_back.names_lost += report.names_lost;
    constexpr const char* kModes[] = {"all", "none", "some"};
    story << "op " << round.ops << (round.killed ? " kill " : " end ")
          << kModes[static_cast<int>(loss)] << " (" << report.sectors_lost << " sectors, "
          << report.sizes_lost << " sizes, " << report.names_lost << " names); ";
  }
  result.acks = acks.size();
  result.detail = story.str();
  TRY_ASSIGN(result.verdict, verify(plan, places, acks, result.detail));
  if (failed && result.verdict == Verdict::kOk) {
    result.verdict = Verdict::kCorrupt;
    result.detail += "the child could not go on after the loss of power";
  }
  return result;
}

perdure::Result<uint64_t> count_ops(const TrialPlan& plan, uint64_t seed) {
  const Places places(plan.scratch);
  TRY_STATUS(empty(places));
  std::vector<std::string> acks;
  TRY_ASSIGN(const Round round, run_round(plan, places, 0, seed, acks));
  if (round.failed) return fail(Code::kInternal, "the child failed without any loss of power");
  if (round.ops == 0) return fail(Code::kInternal, "the child wrote nothing under its directory");
  if (acks.empty()) return fail(Code::kInternal, "the child acknowledged nothing");
  std::string detail = "without any loss of power: ";
  TRY_ASSIGN(const Verdict verdict, verify(plan, places, acks, detail));
  if (verdict != Verdict::kOk) return fail(Code::kInternal, detail);
  return round.ops;
}

}  // namespace powerloss
