#pragma once
// A store on disk in which tasks of all kinds stand as a killed process leaves them.
#include <string>
#include <vector>

#include "base/id.h"

namespace perdure::damage {

struct GoodStore {
  std::string dir;  // closed
  std::vector<TaskId> tasks;
  std::string key_script;  // of the submission with the idempotency key `kKey`
};
inline constexpr const char* kKey = "order-42";

// In `dir`, which is empty or not there.
GoodStore make_good_store(const std::string& dir);

}  // namespace perdure::damage
