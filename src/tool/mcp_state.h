#pragma once
// What an McpExecutor knows of its server. Not for other folders.
//
// One mutex. What happens (a frame, a timer, a call) changes the state under it and leaves what is
// to be done outside in `outbox_`, which is done in order and without the mutex.
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <optional>

#include "base/shares.h"
#include "base/turns.h"
#include "tool/mcp/session.h"
#include "tool/mcp_executor.h"
#include "tool/mcp_tools.h"
#include "tool/mcp_transport.h"

namespace perdure {

class McpExecutor::State : public std::enable_shared_from_this<State> {
 public:
  State(McpServerConfig config, McpOutside outside);

  Status load();
  void open();
  Status wait_until_known();
  void close();

  void start(CallRequest request, Done done);
  void abort(const TaskId& task, const StepId& step);
  void answer_question(const TaskId& task, const StepId& step, Seq interrupt_seq, Decision decision,
                       const Payload& given);

  ToolServerEntry entry() const;
  std::vector<ToolEntry> tools() const;
  std::optional<ToolRuling> ruling(const std::string& tool) const;
  Result<std::vector<std::string>> accept(const std::string& seen);

 private:
  enum class Phase : uint8_t { kDown, kOpening, kUp, kClosed };
  using Lock = std::unique_lock<std::mutex>;

  struct Waiting {
    uint64_t number = 0;
    CallRequest request;
    json::object args;
    Done done;
    uint64_t timer = 0;
  };
  struct Question {
    uint64_t number = 0;    // ours
    Seq interrupt_seq = 0;  // as soon as it is known to be asked
    json::object schema;
  };
  struct Open {
    CallRequest request;
    Done done;
    uint64_t timer = 0;
    int64_t until_us = 0;  // it has time; progress gives it more,
    int64_t ends_us = 0;   // but not beyond this
    bool written = false;
    uint64_t frames_before = 0;        // how many had come when it was written
    std::optional<Question> question;  // a person is asked; the call has all the time it takes
  };

  // mcp_connection.cc: how the server is reached. With the mutex.
  void connect();
  void down(std::string why);
  void connect_later();
  void react();
  void take(mcp::Event& event);
  void put(mcp::Frame frame);
  McpSink sink(uint64_t life);
  Result<std::shared_ptr<McpTransport>> make_transport(uint64_t life);

  // mcp_list.cc: what it offers. With the mutex.
  void take_list(mcp::Listed listed);
  void list_again();
  void keep_pins(std::vector<mcp::ListedTool> tools);

  // mcp_calls.cc: what becomes of a call. With the mutex.
  // Whether one more call of this tenant may wait, or be sent.
  bool may_wait(const std::string& tenant) const;
  bool may_open(const std::string& tenant) const;
  void pump();
  void send(Waiting waiting);
  void answer(const mcp::Answered& answered);
  void lose(mcp::RequestId request, McpLoss loss);
  void give_time(mcp::RequestId request, Open& open);
  void progressed(mcp::RequestId request);
  void call_timed_out(mcp::RequestId request);
  void ask(mcp::Asked& asked);
  void question_asked(mcp::RequestId request, uint64_t number, const Result<Seq>& asked);
  void question_withdrawn(mcp::RequestId request);
  void end_question(mcp::RequestId request, Open& open);
  void put_answer(mcp::RequestId request, const json::object& schema, Decision decision,
                  const Payload& given);
  void wait_timed_out(uint64_t number);
  void settle(Done& done, SettleStep settle);
  void settle_waiting(Waiting& waiting, Outcome outcome, FailureClass failure, std::string why);

  // Takes the mutex, if the connection is still the one that the caller belongs to, and does what
  // follows from `work`.
  template <class Work>
  void with(uint64_t life, Work work) {
    Lock lock(mutex_);
    if (life != life_ || phase_ == Phase::kClosed) return;
    work();
    react();
    drain(lock);
  }
  void drain(Lock& lock);
  uint64_t after(int64_t delay_ms, std::function<void(State&)> work);

  const McpServerConfig config_;
  McpOutside outside_;
  const Masker masker_;

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::function<void()>> outbox_;
  bool draining_ = false;

  Phase phase_ = Phase::kDown;
  uint64_t life_ = 0;  // counts connections: what comes from an earlier one is not heard
  std::shared_ptr<McpTransport> transport_;
  std::optional<mcp::Session> session_;
  mcp::RequestId next_id_ = 1;
  std::string why_down_ = "it was not started yet";
  std::string version_;
  int failures_ = 0;  // in a row
  int64_t up_since_us_ = 0;
  uint64_t frames_ = 0;
  // Questions are refused since a call that was given up may be asking them. It ends with its
  // connection, which is begun anew when nothing else runs on it.
  bool is_stale_ = false;

  McpTools tools_;
  bool list_is_old_ = false;  // it has changed, or is being kept: calls wait
  bool list_again_ = false;   // and changed once more meanwhile
  int64_t listed_at_us_ = 0;

  Turns<Waiting> waiting_;
  uint64_t last_number_ = 0;
  std::map<mcp::RequestId, Open> open_;
  size_t transports_ = 0;  // that have not ended

  std::mutex accepting_;  // one at a time; before mutex_
};

}  // namespace perdure
