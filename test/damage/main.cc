// Flips bits of a store at rest, one a trial, over every column of every table, and holds what the
// next process sends, decides and shows against an unflipped twin's: it may be less, never other.
//   damage_flips --flips N [--seed S] [--unverified]
// --unverified plants the bug that nothing is verified: then some trials must act.
#include <fmt/core.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <map>

#include "base/hooks.h"
#include "base/log.h"
#include "damage/cells.h"
#include "damage/good_store.h"
#include "damage/life.h"
#include "temporary_dir.h"

namespace perdure::damage {
namespace {

namespace fs = std::filesystem;

struct Told {
  bool refused = false;
  std::multiset<std::string> lines;
  size_t noticed = 0;
};

Told live(const std::string& dir, const GoodStore& good) {
  Told told;
  test::MemoryBlobs blobs;
  std::string error;
  const auto life = Life::begin(dir, blobs, error);
  if (!life) {
    told.refused = true;
    return told;
  }
  life->show(good.tasks);
  life->recover();
  life->act(good.key_script);
  told.lines = life->lines();
  told.noticed = life->damaged() + life->quarantined();
  return told;
}

struct Counts {
  uint64_t flips = 0, refused = 0, noticed = 0, unread = 0, acted = 0;
};

int run(uint64_t flips, uint64_t seed, bool unverified) {
  test::TemporaryDir scratch;
  const std::string good_dir = scratch.path() + "/good", dir = scratch.path() + "/store";
  const GoodStore good = make_good_store(good_dir);
  const auto restore = [&] {
    fs::remove_all(dir);
    fs::copy(good_dir, dir, fs::copy_options::recursive);
  };
  restore();
  const Told twin = live(dir, good);
  if (twin.refused || twin.noticed > 0) {
    fmt::print(stderr, "the unflipped twin is not as it should be\n");
    return 1;
  }
  const std::vector<Cell> cells = cells_of(good_dir);
#ifdef PERDURE_TEST_HOOKS
  if (unverified) hooks::plant(hooks::Bug::kVerificationSkipped);
#endif
  std::map<std::string, Counts> by_column;
  Counts all;
  for (uint64_t i = 0; i < flips; ++i) {
    std::mt19937_64 random(seed + i);
    // Every column in its turn, then any row of it.
    const Cell& cell = cells[random() % cells.size()];
    restore();
    const std::string change = flip(dir, cell, random);
    if (change.empty()) continue;
    const Told told = live(dir, good);
    std::vector<std::string> other;
    std::set_difference(told.lines.begin(), told.lines.end(), twin.lines.begin(), twin.lines.end(),
                        std::back_inserter(other));
    Counts& column = by_column[cell.table + "." + cell.column];
    for (Counts* counts : {&all, &column}) {
      ++counts->flips;
      counts->refused += told.refused;
      counts->noticed += told.noticed > 0;
      counts->unread += !told.refused && told.noticed == 0;
      counts->acted += !other.empty();
    }
    if (!other.empty() && !unverified) {
      fmt::print("ACTED, seed {}: {}\n  {}\n", seed + i, change.substr(0, 300), other.front());
    }
  }
  for (const auto& [column, c] : by_column) {
    fmt::print("{:<26} {:>7} flips {:>7} noticed {:>6} refused {:>6} changed nothing {:>5} acted\n",
               column, c.flips, c.noticed, c.refused, c.unread, c.acted);
  }
  fmt::print("{} flips: {} noticed, {} refused as a whole, {} changed nothing, {} acted on\n",
             all.flips, all.noticed, all.refused, all.unread, all.acted);
  if (unverified) return all.acted * 100 >= all.flips ? 0 : 1;
  return all.acted == 0 && all.flips > 0 ? 0 : 1;
}

}  // namespace
}  // namespace perdure::damage

int main(int argc, char** argv) {
  CLI::App app("Flips bits of a store at rest and looks whether anybody acts on them.");
  uint64_t flips = 1000, seed = 1;
  bool unverified = false;
  app.add_option("--flips", flips, "Trials")->capture_default_str();
  app.add_option("--seed", seed, "Of the first trial")->capture_default_str();
  app.add_flag("--unverified", unverified, "Plant the bug that nothing is verified: it must show");
  CLI11_PARSE(app, argc, argv);
  perdure::set_log_level(perdure::LogLevel::kOff);
  return perdure::damage::run(flips, seed, unverified);
}
