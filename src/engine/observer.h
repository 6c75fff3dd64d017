#pragma once
// Who wants to see what has become durable: event streams and long polls.
#include <span>

#include "base/id.h"
#include "journal/record.h"
#include "ports/store.h"

namespace perdure::engine {

struct Committed {
  const TaskId& task;
  std::span<const Record> records;  // dense, in order
};

class Observer {
 public:
  virtual ~Observer() = default;
  // On the engine's thread, after each durable commit, in order; must not block.
  virtual void on_durable(std::span<const Committed> tasks) = 0;
  // The same, of a task that was found to be damaged: there is nothing more to see of it.
  virtual void on_quarantined(const TaskId& /*task*/) {}
};

}  // namespace perdure::engine
