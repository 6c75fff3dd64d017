#pragma once
// Reads the frames of all tasks in the order of their commits and turns them into spans. Everything
// it sees is durable, and nobody waits for it.
#include <list>
#include <map>
#include <vector>

#include "base/error.h"
#include "ports/store.h"
#include "telemetry/task_trace.h"

namespace perdure::runtime {

class TraceReader {
 public:
  // Continues behind `after`. `store` outlives it.
  TraceReader(StoreReader& store, telemetry::ModelNames names, Pos after,
              size_t tasks_max = 10'000);

  struct Batch {
    std::vector<telemetry::Span> spans;
    Pos upto = 0;           // exporting it is done when this position is kept
    size_t frames = 0;      // 0: there is nothing more at the moment
    size_t unreadable = 0;  // frames that were passed over
  };
  // What lies behind the last batch, about `max_bytes` of it. An error may pass: ask again.
  Result<Batch> next(size_t max_bytes);

 private:
  struct Known {
    telemetry::TaskTrace trace;
    std::list<TaskId>::iterator place;
  };
  // In memory, or read from the journal as far as it lies before `first_seq`.
  Result<telemetry::TaskTrace*> trace_of(const TaskId& task, Seq first_seq);
  Status read_frame(const Frame& frame, Batch& batch);
  void forget(const TaskId& task);

  StoreReader& store_;
  const telemetry::ModelNames names_;
  Pos after_;
  const size_t tasks_max_;
  std::map<TaskId, Known> known_;
  std::list<TaskId> order_;  // the one that was used last stands first
};

}  // namespace perdure::runtime
