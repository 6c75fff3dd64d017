#pragma once
// The conversation of an agent's task, folded from its journal. At every record it is valid for a
// provider: each call of an answer is followed by exactly one result, in the order of the calls.
// That holds because an answer and its results enter the conversation together, when the last
// result is there. Messages are only ever appended, so an earlier request is a prefix of a later
// one.
//
// Not thread-safe. Copying shares the texts.
#include <array>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "agent/agent_spec.h"
#include "agent/conversation.h"
#include "agent/layout.h"
#include "agent/loop_watch.h"
#include "agent/preview.h"
#include "agent/round.h"
#include "agent/tell.h"
#include "agent/tool_result.h"
#include "journal/message.h"
#include "journal/record.h"

namespace perdure {

bool is_refusal(const ModelAnswer& answer);

class Transcript {
 public:
  enum class Stage {
    kEmpty,        // no task yet
    kCallModel,    // the conversation waits for an answer, and nobody was asked
    kModelOpen,    // a model call has no outcome yet
    kModelFailed,  // the model call ended without an answer
    kAnswered,     // an answer stands; its calls are not planned
    kToolsOpen,    // some calls have no outcome yet
  };

  struct ModelFailure {
    std::string model;
    EffectState state = EffectState::kFailed;
    FailureClass failure = FailureClass::kNone;  // the last that was seen
    std::string detail;
    uint32_t attempts = 0;
  };

  explicit Transcript(InlineRules results = {}) : results_(results) {}

  // Records in order and without gaps; those already seen are skipped. Payloads must have their
  // bytes. What is wrong is kept in `status`, and nothing is folded after it.
  void apply(const Record& record);

  const Status& status() const { return status_; }
  Stage stage() const { return stage_; }
  Seq seq() const { return seq_; }  // of the newest record folded
  // kAnswered, kToolsOpen: the answer whose calls are to be made, and the turn that asked for it.
  const ModelAnswer& answer() const;
  uint64_t answer_turn() const { return model_turn_; }
  // The model that was asked last.
  const std::string& answering() const { return failure_.model; }
  // kModelFailed: how the models ended that were asked for the same answer, in this order.
  const std::vector<ModelFailure>& failures() const { return failures_; }
  // The model that gave the newest answer; empty if none did.
  const std::string& answered_by() const { return answered_by_; }
  // Answers in a row with calls of which none could be read.
  uint32_t malformed_answers() const { return malformed_answers_; }
  // Answers in a row that their provider broke off to be called again.
  uint32_t paused_answers() const { return paused_answers_; }
  // kCallModel: the calls of the newest rounds are a loop.
  std::optional<Loop> loop() const { return watch_.found(); }
  // How often the loop told the model something.
  uint32_t told(Tell::Why why) const { return told_[static_cast<size_t>(why)]; }
  // The whole of a result that was shown in part; null if there is none of that name.
  const std::string* large_result(std::string_view call) const { return round_.large_result(call); }
  // What those said before the answer that stands: the beginning of its text.
  const std::string& paused_text() const { return paused_text_; }

  // As bytes for a snapshot: a cache that the journal can make again. So there is one layout, of
  // this number; it is raised with every change of it, and of what the fold makes of a record.
  static constexpr uint64_t kFormat = 1;
  // Of one whose status is good.
  std::string encode() const;
  // Nothing if it is not what `encode` gives of a transcript with these rules, or if a payload
  // cannot be had. `complete` brings the bytes of those that stand elsewhere.
  static std::optional<Transcript> decode(std::string_view bytes, const InlineRules& results,
                                          const CompletePayload& complete);

  // What a model would be sent now. An answer whose results are not complete is left out.
  ModelRequest request(const AgentSpec& spec) const;
  // Of the messages in `request`, but for the instructions.
  const Sha256& conversation_hash() const { return conversation_.hash(); }
  uint64_t size_bytes() const { return conversation_.size_bytes(); }
  // With what is kept beside it.
  uint64_t memory_bytes() const { return size_bytes() + round_.large_bytes(); }
  // Tokens of the next request: what the provider counted last time, and a third of the bytes that
  // came since.
  int64_t input_tokens_estimate(const AgentSpec& spec) const;

 private:
  struct Question {
    InterruptReason reason = InterruptReason::kToolApproval;
    StepId step;
  };

  void on(const TaskCreated& body);
  void on(const StepPlanned& body);
  void on(const TimerSet& body);
  void on(const TimerFired& body);
  void on(const Noted& body);
  void on(const StepSettled& body);
  void on(const StepClosed& body);
  void on(const InterruptRequested& body);
  void on(const InterruptResolved& body);
  template <class Other>
  void on(const Other&) {}

  void begin_model(const StepPlanned& body);
  void refuse_answer();
  void close_final_answer();
  bool is_open_model(const StepId& step) const;
  void go_on_after_loop(const InterruptResolved& body);
  void ask_models_anew(const InterruptResolved& body);
  void settle_question(const StepId& step, const InterruptResolved& body);
  void settle_model(const StepSettled& body);
  void take_answer(const Payload& result);
  void fail_model(EffectState state, std::string_view detail);
  void settle(const StepId& step, Result<ToolResult> result);
  void close_round_if_settled();
  void break_off(Error error);
  void write(LayoutWriter& out) const;
  void read(LayoutReader& in);

  InlineRules results_;
  Status status_;
  Stage stage_ = Stage::kEmpty;
  Seq seq_ = 0;
  int64_t at_ms_ = 0;  // of the newest record folded
  Conversation conversation_;

  uint64_t model_turn_ = 0;  // of the newest model call
  ModelFailure failure_;     // of that call, as far as it is known
  std::vector<ModelFailure> failures_;
  std::string answered_by_;
  std::shared_ptr<const ModelAnswer> answer_;  // whose round is not complete
  Round round_;                                // of `answer_`
  uint32_t malformed_answers_ = 0;
  uint32_t paused_answers_ = 0;
  LoopWatch watch_;
  std::array<uint32_t, 3> told_{};
  std::string paused_text_;

  std::map<Seq, Question> questions_;
  int64_t counted_tokens_ = -1;  // by the provider, for a request of `counted_bytes_`
  uint64_t counted_bytes_ = 0;
};

}  // namespace perdure
