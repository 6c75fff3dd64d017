#pragma once
// Many trials: data directories in which the child is killed again and again, then let finish, then
// judged. Every crash point is walked through hit by hit over the trials.
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "crash/life.h"
#include "crash/verdict.h"

namespace perdure::crash {

struct PointCount {
  uint64_t kills = 0;
  uint64_t next_hit = 1;  // of the walk; back to 1 when a life ended before it
  uint64_t walked = 0;    // times that the walk came to its end
};

struct Totals {
  uint64_t trials = 0, kills = 0, with_step_open = 0, at_points = 0;
  uint64_t lost = 0, repeated = 0, wrong = 0;
  uint64_t tasks = 0, requests = 0;
  std::map<std::string, PointCount> points;

  // The text form of --resume: "name value" lines.
  void write(const std::string& path, const std::string& campaign) const;
  bool read(const std::string& path, const std::string& campaign);
};

struct CampaignOptions {
  std::string child;
  std::string plant;
  std::string scratch;  // emptied by each trial
  uint64_t seed = 1;
  std::string only_point;  // every kill at a point is at this one; empty: at all of them
};

// One trial, added to `totals`.
Verdict run_trial(const CampaignOptions& options, uint64_t trial, Totals& totals);

}  // namespace perdure::crash
