#pragma once
// What was stored of a task and is not what was written any more.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/id.h"
#include "journal/terms.h"
#include "ports/store.h"

namespace perdure::engine {

// A call of a damaged task that may have gone out and has no outcome that can still be read.
struct OpenEffect {
  StepId step;
  CallKind kind = CallKind::kTool;
  std::string name;  // of the tool or model; empty: cannot be read any more
  EffectClass effect = EffectClass::kOnce;
  uint32_t attempt = 0;
  int64_t intended_ms = 0;
  std::string key;  // that it went out under
};

struct Damage {
  TaskId task;
  std::string tenant;  // empty: cannot be read any more
  Seq record = 0;      // the first that cannot be believed; 0: a row of the task, or a payload
  std::string what;
  int64_t found_ms = 0;
  // A person has ended the task: what follows is set.
  std::string ended_by;
  int64_t ended_ms = 0;  // 0: it stands
  std::vector<OpenEffect> effects;

  bool is_ended() const { return ended_ms != 0; }
};

// Told by whoever reads and finds damage, after a second read has found the same.
class DamageWatch {
 public:
  virtual ~DamageWatch() = default;
  // Any thread. `record` as in Damage. What whoever asked is told.
  virtual Error on_damage(const TaskId& task, Seq record, const std::string& what) = 0;
};

// Anything else may pass: too many open files, a disk that was slow.
inline bool is_damage(Code code) {
  return code == Code::kCorrupt || code == Code::kNotFound || code == Code::kInvalid ||
         code == Code::kUnsupported || code == Code::kTooLarge;
}

// As a row of the store that outlives the process, beside the journal that stays as it is.
inline constexpr char kDamageKind[] = "damage";
KeptRow row_of(const Damage& damage);
// A row that is damaged itself still names its task.
std::optional<Damage> damage_of(const KeptRow& row);

// What a request is answered with that needs what is damaged.
Error error_of(const Damage& damage);

}  // namespace perdure::engine
