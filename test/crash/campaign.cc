#include "crash/campaign.h"

#include <fmt/core.h>

#include <filesystem>
#include <fstream>

#include "base/crash_points.h"
#include "powerloss/dice.h"

namespace perdure::crash {
namespace {

using How = LifeEnd::How;
using powerloss::Dice;

// Those of the server are the business of serve_kill_test.py.
std::vector<std::string> points_of_the_engine(const std::string& only) {
  if (!only.empty()) return {only};
  std::vector<std::string> points;
  for (const std::string_view point : hooks::kCrashPoints) {
    if (!point.starts_with("http.")) points.emplace_back(point);
  }
  return points;
}

Kill at_a_moment(Dice& dice) {
  Kill kill;
  kill.after_lines = 1 + dice.below(100);
  kill.and_us = static_cast<int64_t>(dice.below(3'000));
  return kill;
}

Kill somewhere(const std::vector<std::string>& points, Dice& dice) {
  if (dice.below(2) == 0) return at_a_moment(dice);
  return {points[dice.below(points.size())], 1 + dice.below(1 + dice.below(30)), 0, 0};
}

class Trial {
 public:
  Trial(const CampaignOptions& options, uint64_t trial, Totals& totals)
      : dice_(options.seed * 0x9E3779B97F4A7C15 + trial),
        totals_(totals),
        points_(points_of_the_engine(options.only_point)),
        point_(points_[trial % points_.size()]),
        world_(world_options()) {
    plan_.child = options.child;
    plan_.plant = options.plant;
    plan_.dir = options.scratch + "/data";
  }

  Verdict run() {
    std::error_code ignored;
    std::filesystem::remove_all(plan_.dir, ignored);
    const bool ended = killed_lives();
    if (ended) plan_.kill = {}, live_once();
    ++totals_.trials;
    totals_.tasks += world_.jobs().size();
    for (const auto& [step, seen] : world_.steps()) totals_.requests += seen.receipts.size();
    Verdict verdict = verdict_over(plan_.dir, world_);
    for (std::string& problem : problems_) verdict.wrong.push_back(std::move(problem));
    totals_.lost += verdict.lost.size();
    totals_.repeated += verdict.repeated.size();
    totals_.wrong += verdict.wrong.size();
    return verdict;
  }

 private:
  WorldOptions world_options() {
    WorldOptions options;
    options.seed = dice_.next();
    options.jobs = 4 + dice_.below(4);
    options.large = point_.starts_with("blob.") || dice_.below(5) == 0;
    return options;
  }

  // True if there is still something to do.
  bool killed_lives() {
    // Some walks begin in an empty directory, most in the middle of things.
    if (const uint64_t drawn = dice_.below(4); drawn != 0) {
      plan_.kill = drawn == 1 ? somewhere(points_, dice_) : at_a_moment(dice_);
      if (!live_once()) return false;
    }
    PointCount& walk = totals_.points[point_];
    plan_.kill = {point_, walk.next_hit, 0, 0};
    if (!live_once()) {
      walk.next_hit = 1;
      ++walk.walked;
      return false;
    }
    ++walk.next_hit;
    for (uint64_t more = dice_.below(4); more > 0; --more) {
      plan_.kill = somewhere(points_, dice_);
      if (!live_once()) return false;
    }
    return true;
  }

  // True if the life was ended by a kill.
  bool live_once() {
    const LifeEnd end = live(plan_, world_);
    if (end.how == How::kFinished) return false;
    if (end.how != How::kKilled) {
      problems_.push_back(end.detail);
      return false;
    }
    ++totals_.kills;
    totals_.with_step_open += world_.a_step_is_open();
    if (!plan_.kill->point.empty()) {
      ++totals_.at_points;
      ++totals_.points[plan_.kill->point].kills;
    }
    return true;
  }

  Dice dice_;
  Totals& totals_;
  const std::vector<std::string> points_;
  const std::string point_;  // that this trial walks
  World world_;
  LifePlan plan_;
  std::vector<std::string> problems_;
};

}  // namespace

Verdict run_trial(const CampaignOptions& options, uint64_t trial, Totals& totals) {
  for (const std::string& point : points_of_the_engine(options.only_point)) totals.points[point];
  return Trial(options, trial, totals).run();
}

void Totals::write(const std::string& path, const std::string& campaign) const {
  const std::string next = path + ".next";
  std::ofstream out(next, std::ios::trunc);
  out << campaign << '\n'
      << trials << ' ' << kills << ' ' << with_step_open << ' ' << at_points << ' ' << lost << ' '
      << repeated << ' ' << wrong << ' ' << tasks << ' ' << requests << '\n';
  for (const auto& [name, point] : points) {
    out << name << ' ' << point.kills << ' ' << point.next_hit << ' ' << point.walked << '\n';
  }
  out.close();
  if (out) std::filesystem::rename(next, path);
}

bool Totals::read(const std::string& path, const std::string& campaign) {
  std::ifstream in(path);
  if (!in) return true;
  std::string name;
  std::getline(in, name);
  in >> trials >> kills >> with_step_open >> at_points >> lost >> repeated >> wrong >> tasks >>
      requests;
  if (!in || name != campaign) return false;
  for (PointCount point; in >> name >> point.kills >> point.next_hit >> point.walked;) {
    points[name] = point;
  }
  return true;
}

}  // namespace perdure::crash
