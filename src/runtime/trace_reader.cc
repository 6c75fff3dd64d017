#include "runtime/trace_reader.h"

#include <algorithm>
#include <span>

#include "engine/journal_reader.h"

namespace perdure::runtime {
namespace {

// Records that come behind the end of a task, and are part of no span.
bool is_beside(const Record& record) {
  return std::holds_alternative<TaskAcknowledged>(record.body) ||
         std::holds_alternative<AnomalyNoted>(record.body);
}

}  // namespace

TraceReader::TraceReader(StoreReader& store, telemetry::ModelNames names, Pos after,
                         size_t tasks_max)
    : store_(store), names_(std::move(names)), after_(after), tasks_max_(tasks_max) {}

Result<TraceReader::Batch> TraceReader::next(size_t max_bytes) {
  TRY_ASSIGN(const std::vector<Frame> frames, store_.frames_after(after_, max_bytes));
  Batch batch;
  batch.upto = after_;
  for (const Frame& frame : frames) {
    if (const Status read = read_frame(frame, batch); !read) {
      // What cannot be read now may be readable later; what is damaged stays so.
      if (read.error().code != Code::kCorrupt) {
        if (batch.frames > 0) break;
        return tl::unexpected(read.error());
      }
      forget(frame.task);
      ++batch.unreadable;
    }
    after_ = batch.upto = frame.pos;
    ++batch.frames;
  }
  return batch;
}

Status TraceReader::read_frame(const Frame& frame, Batch& batch) {
  TRY_ASSIGN(const std::vector<Record> records, decode_frame(frame));
  if (!known_.contains(frame.task) && std::all_of(records.begin(), records.end(), is_beside)) {
    return {};
  }
  TRY_ASSIGN(telemetry::TaskTrace * trace, trace_of(frame.task, frame.first_seq));
  bool ended = false;
  for (const Record& record : records) {
    if (record.seq != trace->upto_seq() + 1) {
      return fail(Code::kCorrupt, "a frame does not follow the one before");
    }
    for (telemetry::Span& span : trace->add(record)) batch.spans.push_back(std::move(span));
    ended |= std::holds_alternative<TaskEnded>(record.body);
  }
  if (ended) forget(frame.task);
  return {};
}

Result<telemetry::TaskTrace*> TraceReader::trace_of(const TaskId& task, Seq first_seq) {
  if (const auto found = known_.find(task); found != known_.end()) {
    order_.splice(order_.begin(), order_, found->second.place);
    return &found->second.trace;
  }
  telemetry::TaskTrace trace(task, names_);
  engine::JournalReader journal(store_, task, 1);
  while (trace.upto_seq() + 1 < first_seq) {
    TRY_ASSIGN(const Record* record, journal.next());
    if (record == nullptr) return fail(Code::kCorrupt, "a part of a journal is missing");
    trace.add(*record);
  }
  if (known_.size() >= tasks_max_) {
    const TaskId oldest = order_.back();
    forget(oldest);
  }
  order_.push_front(task);
  return &known_.emplace(task, Known{std::move(trace), order_.begin()}).first->second.trace;
}

void TraceReader::forget(const TaskId& task) {
  const auto found = known_.find(task);
  if (found == known_.end()) return;
  order_.erase(found->second.place);
  known_.erase(found);
}

}  // namespace perdure::runtime
