#include "journal/answer_hash.h"

#include "journal/binary.h"

namespace perdure {
namespace {

class AnswerWriter {
 public:
  explicit AnswerWriter(std::string& out) : out_(out) {}

  void write(const AnswerTurn& answer) {
    put(answer.turn, answer.upto_seq, answer.planner_version, answer.guarded, answer.more);
    put(answer.await);
    payload(answer.state);
    put(static_cast<uint64_t>(answer.actions.size()));
    for (const Action& action : answer.actions) {
      put(static_cast<uint64_t>(action.index()));
      std::visit([this](const auto& one) { write(one); }, action);
    }
  }

 private:
  void write(const CallAction& call) {
    put(call.step, call.kind, call.name, call.executed_by, call.outcome, call.detail);
    payload(call.args);
    payload(call.result);
  }
  void write(const TimerAction& timer) { put(timer.timer, timer.after_ms, timer.at_ms); }
  void write(const NoteAction& note) { payload(note.note); }
  void write(const CompleteAction& end) {
    put(end.stop_reason);
    payload(end.result);
  }
  void write(const FailAction& end) { put(end.stop_reason, end.message); }
  void write(const AskAction& ask) {
    put(ask.step, ask.name, ask.message);
    payload(ask.args);
  }
  void write(const InterruptAction& raised) { put(raised.reason, raised.message); }

  void payload(const Payload& payload) { put(payload.exists(), payload.hash, payload.size_bytes); }

  template <class... T>
  void put(const T&... values) {
    (out_.put(values), ...);
  }

  BinaryWriter out_;
};

}  // namespace

Sha256 hash_answer(const AnswerTurn& answer) {
  std::string bytes;
  bytes.reserve(256 + 128 * answer.actions.size());
  AnswerWriter(bytes).write(answer);
  return sha256(bytes);
}

}  // namespace perdure
