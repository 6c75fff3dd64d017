#pragma once
// One life of the child: started on a data directory, told what the world says, and ended.
#include <cstdint>
#include <optional>
#include <string>

#include "crash/world.h"

namespace perdure::crash {

// Where a life is to end: at a crash point, or at a moment.
struct Kill {
  std::string point;  // empty: at a moment
  uint64_t hit = 0;   // from 1
  uint64_t after_lines = 0;
  int64_t and_us = 0;
};

struct LifePlan {
  std::string child;  // path of the program
  std::string dir;
  std::string plant;  // a bug, or none
  std::optional<Kill> kill;
  int64_t limit_us = 20'000'000;
};

struct LifeEnd {
  enum class How : uint8_t { kKilled, kFinished, kFailed, kStuck };
  How how = How::kFailed;
  std::string detail;
};

LifeEnd live(const LifePlan& plan, World& world);

}  // namespace perdure::crash
