// What a step and a submission cost in SQLite on this disk, for several shapes of the tables and
// several ways to keep the log. Read docs/adr/001-frame-table.md for what was decided with it.
#include <fmt/format.h>

#include <array>
#include <cstring>
#include <filesystem>
#include <map>
#include <memory>

#include "schema/cases.h"
#include "schema/database.h"
#include "schema/facts.h"
#include "schema/layout.h"
#include "schema/meter.h"

namespace perdure::bench {
namespace {

struct Options {
  std::string dir = ".";
  std::string suite = "layouts";
  std::string only;
  double seconds = 1;
  int repeat = 1;
  int tasks = 20'000;
  int active = 0;  // the newest so many take steps; 0: all
  bool json = false;
};

enum Field {
  kRowsPerS,
  kP50,
  kP99,
  kMax,
  kP50ToFloor,
  kP99ToFloor,
  kFloor,
  kFloorP99,
  kDeviceBytes,
  kFlushes,
  kSyncs,
  kDbBytes,
  kCheckpointP50,
  kCheckpointMax,
  kFields
};
constexpr std::array<const char*, kFields> kNames = {
    "rows/s", "p50us",    "p99us",   "maxus",  "p50/F",   "p99/F99", "F_us",
    "F99_us", "devB/row", "flush/c", "sync/c", "dbB/row", "ckp50us", "ckmaxus"};
using Cell = std::array<double, kFields>;

enum class Work { kStep, kSubmit };

// A database with its load, ready to be measured.
class Bench {
 public:
  Bench(const Options& options, const Case& the_case, FloorProbe& floor, const Meter& meter)
      : options_(options),
        case_(the_case),
        floor_(floor),
        meter_(meter),
        path_(options.dir + "/schema.db") {
    remove_database(path_);
    db_ = std::make_unique<Database>(path_, case_.layout.tuning);
    for (const std::string& sql : ddl(case_.layout)) db_->exec(sql);
    if (case_.log.pregrown) {
      constexpr int64_t kSlackPages = 2000;  // the last commit before a checkpoint runs over
      db_->grow_log((case_.log.checkpoint_pages + kSlackPages) * case_.layout.tuning.page_bytes);
    }
    writer_ = std::make_unique<Writer>(*db_, case_.layout);
    load();
  }

  ~Bench() {
    writer_.reset();
    db_.reset();
    remove_database(path_);
  }
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  Cell measure(Work work, int batch) {
    constexpr double kSliceUs = 100'000;
    constexpr int kProbesPerSlice = 30;
    Run run;
    double budget_us = options_.seconds * 1e6;
    auto size_before = std::filesystem::file_size(path_);
    int64_t frames_before = writer_->frames();
    while (run.busy_us < budget_us && writer_->frames() - frames_before < kMaxFrames) {
      floor_.sample(kProbesPerSlice, run.floor_us);
      Usage before = meter_.read();
      double start_us = now_us();
      double end_us = start_us + std::min(kSliceUs, budget_us - run.busy_us);
      while (now_us() < end_us) commit(work, batch, run);
      run.busy_us += now_us() - start_us;
      run.usage += meter_.read() - before;
    }
    close_run(run);
    auto grown = static_cast<double>(std::filesystem::file_size(path_) - size_before);
    return summarize(run, static_cast<double>(writer_->frames() - frames_before), grown);
  }

  double read_us() {
    constexpr int kReads = 2000;
    std::vector<double> samples;
    for (int i = 0; i < kReads; ++i) {
      double start_us = now_us();
      if (writer_->read_journal() == 0) die("an empty journal");
      samples.push_back(now_us() - start_us);
    }
    return quantile(samples, 0.5);
  }

 private:
  static constexpr int64_t kMaxFrames = 60'000;

  struct Run {
    std::vector<double> commit_us, checkpoint_us, floor_us;
    Usage usage;
    double busy_us = 0;
  };

  void load() {
    constexpr int kFramesPerTask = 8;
    constexpr int kPerCommit = 1000;
    db_->exec("PRAGMA synchronous=OFF");
    for (int done = 0; done < options_.tasks * kFramesPerTask; done += kPerCommit) {
      bool submits = done < options_.tasks;
      if (done == options_.tasks) writer_->shuffle(options_.tasks);
      db_->exec("BEGIN IMMEDIATE");
      for (int i = 0; i < kPerCommit; ++i) submits ? writer_->submit() : writer_->step();
      db_->exec("COMMIT");
      if (db_->wal_pages() >= case_.log.checkpoint_pages) db_->checkpoint(case_.log.mode);
    }
    db_->exec("PRAGMA synchronous=FULL");
    db_->checkpoint(case_.log.mode);
    if (options_.active > 0) writer_->shuffle(options_.active);
    sync_file_system(options_.dir);
  }

  // A checkpoint is charged to the commit that set it off, as the next one waits for both.
  void commit(Work work, int batch, Run& run) {
    double start_us = now_us();
    db_->exec("BEGIN IMMEDIATE");
    for (int i = 0; i < batch; ++i) work == Work::kStep ? writer_->step() : writer_->submit();
    db_->exec("COMMIT");
    if (db_->wal_pages() >= case_.log.checkpoint_pages) {
      double checkpoint_start_us = now_us();
      if (!db_->checkpoint(case_.log.mode)) die("checkpoint did not finish");
      run.checkpoint_us.push_back(now_us() - checkpoint_start_us);
    }
    run.commit_us.push_back(now_us() - start_us);
  }

  // Brings what the run left in the log into the file, so that runs do not pay for each other.
  void close_run(Run& run) {
    Usage before = meter_.read();
    double start_us = now_us();
    db_->checkpoint(case_.log.mode);
    run.busy_us += now_us() - start_us;
    run.usage += meter_.read() - before;
  }

  static Cell summarize(const Run& run, double rows, double grown) {
    auto commits = static_cast<double>(run.commit_us.size());
    Cell cell{};
    cell[kRowsPerS] = rows / run.busy_us * 1e6;
    cell[kP50] = quantile(run.commit_us, 0.5);
    cell[kP99] = quantile(run.commit_us, 0.99);
    cell[kMax] = quantile(run.commit_us, 1);
    cell[kFloor] = quantile(run.floor_us, 0.5);
    cell[kP50ToFloor] = cell[kP50] / cell[kFloor];
    cell[kFloorP99] = quantile(run.floor_us, 0.99);
    cell[kP99ToFloor] = cell[kP99] / cell[kFloorP99];
    cell[kDeviceBytes] = static_cast<double>(run.usage.device_bytes) / rows;
    cell[kFlushes] = static_cast<double>(run.usage.device_flushes) / commits;
    cell[kSyncs] = static_cast<double>(run.usage.process_syncs) / commits;
    cell[kDbBytes] = grown / rows;
    cell[kCheckpointP50] = quantile(run.checkpoint_us, 0.5);
    cell[kCheckpointMax] = quantile(run.checkpoint_us, 1);
    return cell;
  }

  const Options& options_;
  Case case_;
  FloorProbe& floor_;
  const Meter& meter_;
  std::string path_;
  std::unique_ptr<Database> db_;
  std::unique_ptr<Writer> writer_;
};

void print_head() {
  fmt::print("{:<22} {:<6} {:>5}", "case", "work", "batch");
  for (const char* name : kNames) fmt::print(" {:>8}", name);
  fmt::print("\n");
}

void print_row(const Options& options, const std::string& name, Work work, int batch,
               const std::vector<Cell>& cells) {
  const char* work_name = work == Work::kStep ? "step" : "submit";
  if (options.json) {
    fmt::print(R"({{"case":"{}","work":"{}","batch":{})", name, work_name, batch);
  } else {
    fmt::print("{:<22} {:<6} {:>5}", name, work_name, batch);
  }
  for (size_t field = 0; field < kFields; ++field) {
    std::vector<double> values;
    for (const Cell& cell : cells) values.push_back(cell[field]);
    double value = quantile(values, 0.5);
    if (options.json) {
      fmt::print(R"(,"{}":{:.3f})", kNames[field], value);
    } else {
      fmt::print(" {:>8.{}f}", value, value < 100 && value != 0 ? 2 : 0);
    }
  }
  fmt::print("{}\n", options.json ? "}" : "");
}

void run_cases(const Options& options, const std::vector<Case>& cases) {
  FloorProbe floor(options.dir);
  Meter meter(options.dir);
  using Key = std::pair<Work, int>;
  std::vector<std::map<Key, std::vector<Cell>>> results(cases.size());
  std::vector<std::vector<double>> reads(cases.size());
  for (int round = 0; round < options.repeat; ++round) {
    for (size_t i = 0; i < cases.size(); ++i) {
      // Another case goes first in each round, so that drift of the machine is shared out.
      size_t at = (i + static_cast<size_t>(round) * 5) % cases.size();
      if (cases[at].layout.name.find(options.only) == std::string::npos) continue;
      Bench bench(options, cases[at], floor, meter);
      reads[at].push_back(bench.read_us());
      for (Work work : {Work::kStep, Work::kSubmit}) {
        for (int batch : {1, 10, 100, 1000}) {
          results[at][{work, batch}].push_back(bench.measure(work, batch));
        }
      }
    }
  }
  if (!options.json) print_head();
  for (size_t i = 0; i < cases.size(); ++i) {
    for (const auto& [key, cells] : results[i]) {
      print_row(options, cases[i].layout.name, key.first, key.second, cells);
    }
  }
  if (options.json) return;
  fmt::print("\n{:<22} {:>24}\n", "case", "read a journal of 8, us");
  for (size_t i = 0; i < cases.size(); ++i) {
    if (!reads[i].empty()) {
      fmt::print("{:<22} {:>24.1f}\n", cases[i].layout.name, quantile(reads[i], 0.5));
    }
  }
}

Options parse(int argc, char** argv) {
  Options options;
  for (int i = 1; i < argc; ++i) {
    std::string flag = argv[i];
    auto value = [&]() -> std::string {
      if (i + 1 >= argc) die(flag + " needs a value");
      return argv[++i];
    };
    if (flag == "--json")
      options.json = true;
    else if (flag == "--dir")
      options.dir = value();
    else if (flag == "--suite")
      options.suite = value();
    else if (flag == "--only")
      options.only = value();
    else if (flag == "--seconds")
      options.seconds = std::stod(value());
    else if (flag == "--repeat")
      options.repeat = std::stoi(value());
    else if (flag == "--tasks")
      options.tasks = std::stoi(value());
    else if (flag == "--active")
      options.active = std::stoi(value());
    else
      die("usage: bench_schema [--dir DIR] [--suite layouts|pages|log|facts] [--only NAME]\n"
          "  [--seconds N] [--repeat N] [--tasks N] [--active N] [--json]");
  }
  return options;
}

}  // namespace
}  // namespace perdure::bench

int main(int argc, char** argv) {
  using namespace perdure::bench;
  Options options = parse(argc, argv);
  if (options.suite == "layouts")
    run_cases(options, layout_cases());
  else if (options.suite == "pages")
    run_cases(options, page_cases());
  else if (options.suite == "log")
    run_cases(options, log_cases());
  else if (options.suite == "facts")
    run_facts(options.dir);
  else
    die("unknown suite " + options.suite);
  return 0;
}
