#pragma once
// An executor runs the calls of one kind. The engine starts a call only after its intent is
// durable, and never twice: an executor must not repeat a request either.
#include <cstdint>
#include <functional>
#include <string>

#include "base/error.h"
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
  // Asks a person something while the call runs: the message, and {"question", "choices"?,
  // "schema"?}. On any thread; at most one question of a call is open. `asked` is told, on the
  // engine's thread, which interrupt it has become, or why nobody is asked. What comes of it is
  // told by `Executor::answer`, once, unless the call is done before.
  using Asked = std::function<void(Result<Seq> interrupt_seq)>;
  std::function<void(std::string message, Payload question, Asked asked)> ask;
  // Nobody need answer any more. On any thread, behind `ask`; an answer may still come.
  std::function<void()> withdraw;
  // The other side took the call and works on under this name when the connection ends. Before
  // `done`, on any thread; what follows need not wait.
  std::function<void(std::string provider_id)> on_provider_id = {};
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
  // The question that this call asked is settled: kRespond with the answer (JSON), kReject if a
  // person says no, kWithdrawn if nobody decides. On the engine's thread: must not block. An
  // executor that does not run the call, or asks nothing, does nothing.
  virtual void answer(const TaskId& /*task*/, const StepId& /*step*/, Seq /*interrupt_seq*/,
                      Decision /*decision*/, const Payload& /*given*/) {}
};

}  // namespace perdure
