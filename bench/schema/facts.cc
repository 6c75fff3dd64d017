#include "schema/facts.h"

#include <fmt/format.h>

#include <filesystem>

#include "schema/database.h"
#include "schema/meter.h"

namespace perdure::bench {

namespace {

constexpr int kFactCommits = 500;

void commit_one(Database& db) {
  db.exec("INSERT INTO t(b) VALUES(randomblob(700))");
}

struct Instruments {
  Meter meter;
  FloorProbe floor;
};

// Runs `work` so many times and prints what one run cost, with F taken around it.
template <class Work>
void measure(Instruments& instruments, const std::string& what, int times, Work work) {
  constexpr int kProbes = 100;
  std::vector<double> floor_us;
  std::vector<double> samples_us;
  instruments.floor.sample(kProbes, floor_us);
  Usage before = instruments.meter.read();
  for (int i = 0; i < times; ++i) {
    double start_us = now_us();
    work();
    samples_us.push_back(now_us() - start_us);
  }
  Usage used = instruments.meter.read() - before;
  instruments.floor.sample(kProbes, floor_us);
  fmt::print("{:<46} {:>5.2f} syncs {:>5.2f} flushes  p50 {:>6.0f} us  F {:>4.0f} us\n", what,
             static_cast<double>(used.process_syncs) / times,
             static_cast<double>(used.device_flushes) / times, quantile(samples_us, 0.5),
             quantile(floor_us, 0.5));
}

void count_log(const std::string& dir, Instruments& instruments, const std::string& what,
               int64_t pregrown_bytes) {
  std::string path = dir + "/fact.db";
  remove_database(path);
  {
    Database db(path, {});
    db.exec("CREATE TABLE t(n INTEGER PRIMARY KEY, b BLOB)");
    db.grow_log(pregrown_bytes);
    auto commit = [&] { commit_one(db); };
    auto checkpoint = [&] { db.checkpoint(SQLITE_CHECKPOINT_PASSIVE); };
    measure(instruments, what, kFactCommits, commit);
    measure(instruments, "  the checkpoint after it (the file grows)", 1, checkpoint);
    measure(instruments, "  the first commit after the checkpoint", 1, commit);
    measure(instruments, "  further commits into the recycled log", kFactCommits / 2, commit);
    checkpoint();
    db.exec("UPDATE t SET b=randomblob(700)");
    measure(instruments, "  a checkpoint that does not grow the file", 1, checkpoint);
  }
  remove_database(path);
}

// A copy of the files of an open database is what a killed process leaves behind.
void reopen_copy(const std::string& dir, int64_t zeros_added_bytes) {
  namespace fs = std::filesystem;
  std::string path = dir + "/fact.db";
  std::string copy = dir + "/copy.db";
  remove_database(path);
  remove_database(copy);
  {
    Database db(path, {});
    db.exec("CREATE TABLE t(n INTEGER PRIMARY KEY, b BLOB)");
    db.grow_log(4 << 20);
    for (int i = 0; i < kFactCommits; ++i) commit_one(db);
    db.checkpoint(SQLITE_CHECKPOINT_PASSIVE);
    for (int i = 0; i < kFactCommits; ++i) commit_one(db);
    for (const char* suffix : {"", "-wal"}) fs::copy_file(path + suffix, copy + suffix);
  }
  auto wal_bytes = static_cast<int64_t>(fs::file_size(copy + "-wal")) + zeros_added_bytes;
  grow_with_zeros(copy + "-wal", wal_bytes);
  {
    Database db(copy, {});
    int64_t rows = db.query_int("SELECT count(*) FROM t");
    Statement check(db, "PRAGMA integrity_check");
    if (!check.step() || check.column_text(0) != "ok") die("the integrity check failed");
    fmt::print(
        "{:<52} {} of {} rows\n",
        fmt::format("reopened after a kill, {} KiB of zeros appended", zeros_added_bytes / 1024),
        rows, 2 * kFactCommits);
    if (rows != 2 * kFactCommits) die("committed rows are missing");
  }
  remove_database(path);
  remove_database(copy);
}

void open_beside_zeros(const std::string& dir, bool with_content) {
  constexpr int64_t kZeroBytes = 1 << 20;
  std::string path = dir + "/fact.db";
  remove_database(path);
  if (with_content) {
    Database db(path, {});
    db.exec("CREATE TABLE t(n INTEGER PRIMARY KEY, b BLOB)");
    commit_one(db);
    db.checkpoint(SQLITE_CHECKPOINT_TRUNCATE);
  }
  grow_with_zeros(path + "-wal", kZeroBytes);
  {
    Database db(path, {});
    if (with_content && db.query_int("SELECT count(*) FROM t") != 1) die("the row is missing");
    std::error_code absent;
    auto bytes = std::filesystem::file_size(path + "-wal", absent);
    fmt::print("a log of zeros beside {:<24} {}\n",
               with_content ? "a database is" : "no database is",
               !absent && bytes == kZeroBytes ? "accepted" : "deleted");
  }
  remove_database(path);
}

}  // namespace

void run_facts(const std::string& dir) {
  Instruments instruments{Meter(dir), FloorProbe(dir)};
  fmt::print("SQLite {}\n", sqlite3_libversion());
  for (int round = 0; round < 3; ++round) {
    count_log(dir, instruments, "commits into a log that grows", 0);
    count_log(dir, instruments, "commits into a log of written zeros", 16 << 20);
  }
  open_beside_zeros(dir, true);
  open_beside_zeros(dir, false);
  reopen_copy(dir, 0);
  reopen_copy(dir, 8 << 20);
}

}  // namespace perdure::bench
