#pragma once
// A planner proposes what a task does next. It is stateless: all it knows is in the request. It may
// take days.
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/id.h"
#include "journal/command.h"
#include "journal/effect.h"
#include "journal/record.h"

namespace perdure {

// The planners of this process. All other names are for planners that ask over HTTP.
inline constexpr std::string_view kAgentPlanner = "agent";
inline constexpr std::string_view kScriptPlanner = "script";

struct PlanRequest {
  TaskId task;
  std::string tenant;
  std::string agent;
  std::string agent_version;
  Plan plan;
  Seq after_seq = 0;  // what the last accepted turn had seen
  Payload state;      // as that turn left it
  Payload input;      // of the task, with its bytes when inline
  // Ends at upto_seq, dense, with inline bytes. Begins at after_seq + 1 or, for a planner that
  // reads history, so early that what is missing before it is durable and can be read from the
  // store.
  std::vector<Record> news;
};

class Planner {
 public:
  virtual ~Planner() = default;
  // The turn, or why there is none: then the turn is rejected and planned again later.
  using Done = std::function<void(Result<AnswerTurn>)>;
  // True if asking it is no output: it keeps nothing and nobody outside sees the question. Such a
  // planner is asked before its records are durable.
  virtual bool in_process() const = 0;
  // False if the state that its last turn left and what has happened since are all that it needs.
  virtual bool reads_history() const { return true; }
  // On the engine's thread: must not block. `done` is called at most once, on any thread, possibly
  // before this returns.
  virtual void plan(PlanRequest request, Done done) = 0;
  // Now and then while a journal grows, on a thread that nobody waits for: one that remembers what
  // it has read may write a snapshot of that (ports/snapshots.h), of durable records up to
  // `upto_seq` at most. The size of what it has written; 0: nothing.
  virtual uint64_t write_snapshot(const TaskId& /*task*/, const std::string& /*tenant*/,
                                  const std::string& /*agent_version*/, Seq /*upto_seq*/) {
    return 0;
  }
};

}  // namespace perdure
