#pragma once
// The spans of one task, from the records of its journal: the task, each attempt of a model or tool
// call, each wait for a person. Ids derive from the task's id and from positions in its journal, so
// that whoever reads the journal again makes the same spans.
//
// Attributes are those of the conventions for generative AI, as far as the journal has them:
// https://github.com/open-telemetry/semantic-conventions-genai. What was said is not among them:
// no prompt, no answer, no argument, no result, no message.
#include <map>
#include <string>
#include <vector>

#include "base/id.h"
#include "journal/record.h"
#include "telemetry/span.h"

namespace perdure::telemetry {

// What the operator's name of a model stands for.
struct ModelName {
  std::string provider;  // a well-known value of gen_ai.provider.name
  std::string model;
};
using ModelNames = std::map<std::string, ModelName>;

class TaskTrace {
 public:
  TaskTrace(const TaskId& task, const ModelNames& names) : task_(task), names_(&names) {}

  Seq upto_seq() const { return upto_seq_; }
  // Records come dense and in order, from the first. The spans that this one ended.
  std::vector<Span> add(const Record& record);

 private:
  struct Call {
    CallKind kind = CallKind::kTool;
    std::string name;
    uint32_t attempt = 0;
    Seq intended_seq = 0;  // 0: no attempt is under way
    int64_t intended_ms = 0;
    bool unpriced = false;
  };
  struct Wait {
    InterruptReason reason = InterruptReason::kToolApproval;
    StepId step;
    int64_t since_ms = 0;
  };
  using Spans = std::vector<Span>;

  void read(const Record& record, const TaskCreated& body, Spans& out);
  void read(const Record& record, const StepPlanned& body, Spans& out);
  void read(const Record& record, const StepIntended& body, Spans& out);
  void read(const Record& record, const StepSettled& body, Spans& out);
  void read(const Record& record, const StepClosed& body, Spans& out);
  void read(const Record& record, const InterruptRequested& body, Spans& out);
  void read(const Record& record, const InterruptResolved& body, Spans& out);
  void read(const Record& record, const TaskEnded& body, Spans& out);
  template <class Other>
  void read(const Record&, const Other&, Spans&) {}

  Span span(Seq from_seq, int64_t start_ms, int64_t end_ms) const;
  Span call_span(const Record& record, const StepSettled& settled, const Call& call) const;
  void add_model(Span& span, const StepSettled& settled, const Call& call) const;

  TaskId task_;
  const ModelNames* names_;
  Seq upto_seq_ = 0;
  std::string agent_, agent_version_;
  int64_t created_ms_ = 0;
  std::string session_;           // of several tasks; empty: the task is the conversation
  std::map<StepId, Call> calls_;  // not closed
  std::map<Seq, Wait> waits_;
  int64_t model_calls_ = 0, tool_calls_ = 0;
};

}  // namespace perdure::telemetry
