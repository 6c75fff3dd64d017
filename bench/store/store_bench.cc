// Commits a second of the store on disk, and what one takes in units of F: one 4 KiB pwrite and
// fdatasync into a file of written zeros, sampled between the commits on the same disk.
//
//   bench_store DIR [SECONDS]     DIR must not exist
#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <future>
#include <random>
#include <vector>

#include "adapters/sqlite/sqlite_store.h"

namespace perdure::bench {
namespace {

constexpr size_t kBodyBytes = 700;
constexpr size_t kTasks = 20'000;
constexpr size_t kSampleEvery = 10;

using Clock = std::chrono::steady_clock;

double us_since(Clock::time_point start) {
  return std::chrono::duration<double, std::micro>(Clock::now() - start).count();
}

[[noreturn]] void die(const std::string& why) {
  fmt::print(stderr, "{}\n", why);
  std::exit(1);
}

double percentile(std::vector<double> values, double part) {
  std::sort(values.begin(), values.end());
  return values.empty() ? 0 : values[static_cast<size_t>(part * double(values.size() - 1))];
}

// One F, in us.
class Disk {
 public:
  explicit Disk(const std::string& path)
      : fd_(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600)) {
    const std::string zeros(1 << 20, '\0');
    if (fd_ < 0 || ::write(fd_, zeros.data(), zeros.size()) < 0 || fsync(fd_) != 0) {
      die("cannot write to " + path);
    }
  }
  ~Disk() { ::close(fd_); }
  double sample() {
    static const std::string page(4096, 'f');
    const auto start = Clock::now();
    if (pwrite(fd_, page.data(), page.size(), (next_++ % 256) * 4096) < 0 || fdatasync(fd_) != 0) {
      die("cannot write");
    }
    return us_since(start);
  }

 private:
  int fd_;
  off_t next_ = 0;
};

class Load {
 public:
  explicit Load(Store& store) : store_(store), pos_(store.last_pos()) {
    for (char& c : noise_) c = static_cast<char>(random_());
  }

  // One frame for each of the next `count` tasks; a task is created at its first. One task row and
  // one timer in ten.
  Batch next(size_t count) {
    Batch batch;
    batch.frames.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      const size_t at = turn_++ % kTasks;
      if (at == heads_.size()) create(batch);
      Frame& frame = batch.frames.emplace_back();
      frame.pos = ++pos_;
      frame.task = ids_[at];
      frame.first_seq = heads_[at] + 1;
      frame.count = 4;
      frame.epoch = store_.epoch();
      frame.body = noise_.substr(random_() % (noise_.size() - kBodyBytes), kBodyBytes);
      heads_[at] += frame.count;
      if (turn_ % 10 == 0) batch.timers_set.push_back({ids_[at], "t", int64_t(turn_)});
    }
    return batch;
  }

 private:
  void create(Batch& batch) {
    ids_.push_back(TaskId::make(1'790'000'000'000 + int64_t(ids_.size()), random_(), random_()));
    heads_.push_back(0);
    TaskRow row;
    row.id = ids_.back();
    row.tenant = "acme-production";
    row.principal = "key:ci";
    row.waiting_for = "[]";
    row.planner = "agent";
    row.agent = "support-triage";
    row.metadata = R"({"customer":"c-018842","channel":"email"})";
    row.created_ms = 1'790'000'000'000;
    row.head = 4;
    batch.idempotency.push_back(
        {row.tenant, "POST /v1/tasks", std::to_string(random_()), {}, row.id, row.created_ms});
    batch.tasks.push_back(std::move(row));
  }

  Store& store_;
  Pos pos_;
  std::mt19937_64 random_{42};
  std::string noise_ = std::string(1 << 20, '\0');
  std::vector<TaskId> ids_;
  std::vector<Seq> heads_;
  size_t turn_ = 0;
};

double commit(Store& store, const Batch& batch) {
  const auto start = Clock::now();
  std::promise<void> done;
  store.commit(batch, [&](const CommitResult& result) {
    if (result.kind != CommitResult::Kind::kDurable) die("refused: " + result.message);
    done.set_value();
  });
  done.get_future().wait();
  return us_since(start);
}

void measure(SqliteStore& store, Load& load, Disk& disk, size_t frames, double seconds) {
  std::vector<double> commits_us, disk_us;
  double total_us = 0;
  const uint64_t checkpoints = store.stats().checkpoints;
  while (total_us < seconds * 1e6) {
    const Batch batch = load.next(frames);
    commits_us.push_back(commit(store, batch));
    total_us += commits_us.back();
    if (commits_us.size() % kSampleEvery == 1) disk_us.push_back(disk.sample());
  }
  const double f_us = percentile(disk_us, 0.5);
  const double commits_per_s = double(commits_us.size()) / total_us * 1e6;
  fmt::print(
      "{:5} frames a commit: {:8.0f} commits/s {:8.0f} frames/s   p50 {:7.0f} us = {:5.2f} F   "
      "p99 {:7.0f} us   F {:5.0f} us   checkpoints {}\n",
      frames, commits_per_s, commits_per_s * double(frames), percentile(commits_us, 0.5),
      percentile(commits_us, 0.5) / f_us, percentile(commits_us, 0.99), f_us,
      store.stats().checkpoints - checkpoints);
}

int run(const std::string& dir, double seconds) {
  SqliteOptions options;
  options.dir = dir;
  auto opened = SqliteStore::open(options);
  if (!opened) die(opened.error().message);
  Disk disk(dir + "/F");
  Load load(**opened);
  for (size_t task = 0; task < kTasks * 2; task += 100) commit(**opened, load.next(100));
  fmt::print("{} tasks, bodies of {} bytes\n", kTasks, kBodyBytes);
  for (const size_t frames : {1, 10, 100, 1000}) measure(**opened, load, disk, frames, seconds);
  return 0;
}

}  // namespace
}  // namespace perdure::bench

int main(int argc, char** argv) {
  if (argc < 2) perdure::bench::die("bench_store DIR [SECONDS]");
  return perdure::bench::run(argv[1], argc > 2 ? std::atof(argv[2]) : 2.0);
}
