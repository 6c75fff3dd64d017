#pragma once
// An executor runs the calls of one kind. The engine starts a call only after its intent is
// durable, and never twice: an executor must not repeat a request either.
#include <cstdint>
#include <functional>
#include <string>

#include "base/id.h"
#include "journal/command.h"
#include "journal/effect.h"

namespace perdure {

struct CallRequest {
  TaskId task;
  std::string tenant;
  std::string agent;
  std::string agent_version;
  Send send;
  std::string key;  // idempotency key: of the position, equal for all sends of one attempt group
  Epoch epoch = 0;
};

class Executor {
 public:
  virtual ~Executor() = default;
  using Done = std::function<void(SettleStep)>;
  // On the engine's thread: must not block. `done` is called once, on any thread, possibly before
  // this returns.
  virtual void start(CallRequest request, Done done) = 0;
  // The outcome is no longer wanted; `done` is still called.
  virtual void abort(const TaskId& task, const StepId& step) = 0;
};

}  // namespace perdure
