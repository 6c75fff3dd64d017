#pragma once
// A whole server without sockets or threads: the engine, a store in memory, and time that moves
// when a test says so.
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "adapters/memory/memory_store.h"
#include "api/api.h"
#include "base/json.h"
#include "fakes/counting_rng.h"
#include "fakes/memory_blobs.h"

namespace perdure::api::test {

class ManualClock : public Clock {
 public:
  int64_t unix_ms() override { return now_us / 1000; }
  int64_t monotonic_us() override { return now_us; }
  std::atomic<int64_t> now_us{1'800'000'000'000'000};
};

class ManualTimers : public Timers {
 public:
  explicit ManualTimers(ManualClock& clock) : clock_(clock) {}
  uint64_t after(int64_t delay_ms, std::function<void()> callback) override;
  void cancel(uint64_t id) override;
  // Runs what is due, once each; false if nothing was.
  bool run_due();
  std::optional<int64_t> next_us();
  size_t pending();

 private:
  ManualClock& clock_;
  std::mutex mutex_;
  uint64_t last_id_ = 0;
  std::map<std::pair<int64_t, uint64_t>, std::function<void()>> due_;
};

// One task's journal may be damaged.
class HurtStore : public MemoryStore {
 public:
  using MemoryStore::MemoryStore;
  Result<std::vector<Frame>> frames(const TaskId& id, Seq from_seq, size_t max_bytes) override {
    if (damaged == id) return fail(Code::kCorrupt, "a frame is not what was written");
    return MemoryStore::frames(id, from_seq, max_bytes);
  }
  // Rows of before say nothing of what is shown: the journal is read.
  Result<std::vector<InterruptRow>> interrupts(const InterruptQuery& query) override {
    auto rows = MemoryStore::interrupts(query);
    if (rows && old_rows) {
      for (InterruptRow& row : *rows) row.shown.clear();
    }
    return rows;
  }
  bool old_rows = false;
  std::optional<TaskId> damaged;
};

// Agents by name: "echo" ends at once with its input; "payer" calls the tool "pay", whose calls a
// person approves, and ends; "lookup" calls the tool "look", which is allowed; "talker" calls a
// model; "scribe" notes as many things as its input says; "sleeper" waits for a timer; "outside" is
// driven by a planner of another process, "outside-planner".
class NamedAgents : public Agents {
 public:
  Result<AgentEntry> find(const std::string& tenant, const std::string& name) const override;
  std::vector<std::string> names(const std::string& tenant) const override;
  Result<std::vector<AgentVersion>> versions(const std::string& tenant,
                                             const std::string& name) const override;
  Result<std::string> content(const std::string&) const override { return "{}"; }
  Result<std::vector<std::string>> warnings(const std::string&) const override {
    return std::vector<std::string>();
  }
  Result<PutAgent> prepare(const std::string&, const std::string&, const json::value&,
                           const std::string&, int64_t) override {
    return fail(Code::kConflict, "all names are taken");
  }
  void publish(const PutAgent&) override {}
};

// "pay" stands in the operator's file; "shop" is a server that offers "shop.look", and changed it.
class TwoTools : public ToolCatalog {
 public:
  std::vector<ToolEntry> tools() const override;
  std::vector<ToolServerEntry> servers() const override;
  std::optional<CallPlace> place(const std::string& tool, std::string_view args,
                                 std::string_view key) const override;
  Result<std::vector<std::string>> accept(const std::string& server,
                                          const std::string& seen) override;

 private:
  bool accepted_ = false;
};

class InsidePlanner : public Planner {
 public:
  bool in_process() const override { return true; }
  void plan(PlanRequest request, Done done) override;
};

class NamePolicy : public Policy {
 public:
  Status judge_answer(const Payload&, const Payload&) override { return {}; }
  Status judge_edit(const std::string&, const std::string&, Resolve& edit) override {
    edit.identity = edit.given.hash;
    return {};
  }
  Status judge(const std::string&, AnswerTurn& turn) override;
};

// Answers every call at once, unless `hold` is set.
class AnsweringExecutor : public Executor {
 public:
  void start(CallRequest request, Done done) override;
  void abort(const TaskId&, const StepId&) override {}
  static SettleStep success(const CallRequest& request);

  bool hold = false;
  std::vector<std::pair<CallRequest, Done>> held;
};

class Recorder : public Responder {
 public:
  void respond(Response given) override;
  void start_stream(Response head) override;
  bool write(std::string_view bytes) override;
  void end_stream() override { ended = true; }
  void on_disconnect(std::function<void()> callback) override { gone_ = std::move(callback); }
  void disconnect();

  std::mutex mutex;
  std::optional<Response> response;
  bool streaming = false;
  std::atomic<bool> ended = false;
  std::atomic<bool> refuses_writes = false;
  std::string stream;

 private:
  std::function<void()> gone_;
};

struct Ask {
  std::string method = "GET";
  std::string target;
  std::string body = {};
  Headers headers = {};  // beside those that every good request has
  std::string token = "all";
};

// What was answered.
struct Answer {
  int status = 0;
  Headers headers;
  std::string body;

  std::string header(std::string_view name) const;
  json::value json() const;
  std::string text(std::string_view pointer) const;  // a string member
  int64_t number(std::string_view pointer) const;
};

class World {
 public:
  // `apart`: where requests that read are run; empty: at once.
  explicit World(ApiLimits limits = {}, RemotePlannersOptions planners = {},
                 std::function<void(std::function<void()>)> apart = {});

  // Everything that is at hand, until nothing is. Time stands still.
  void settle();
  // One thing that is at hand; false if there is none.
  bool step();
  // Lets time pass, timer by timer.
  void pass(int64_t ms);

  static Request request_of(const Ask& ask);
  std::shared_ptr<Recorder> start(const Ask& ask);
  Answer ask(const Ask& ask);  // start, settle; there must be an answer
  Answer post(std::string target, std::string body) {
    return ask({.method = "POST", .target = std::move(target), .body = std::move(body)});
  }
  Answer get(std::string target) { return ask({.target = std::move(target)}); }
  // The id of a new task of this agent.
  std::string submit(const std::string& agent, const std::string& input = "\"hello\"");

  static Answer answer_of(Recorder& recorder);

  ManualClock clock;
  perdure::test::CountingRng rng;
  ManualTimers timers{clock};
  HurtStore store{std::string(32, 's')};
  perdure::test::MemoryBlobs blobs;
  NamedAgents agents;
  TwoTools tools;
  InsidePlanner inside;
  NamePolicy policy;
  AnsweringExecutor executor;
  RemotePlanners planners;
  engine::Engine engine;
  Api api;
  std::optional<std::string> store_failure;
};

struct Message {
  std::string id, event, data;
};
// The messages of an event stream; comments are left out.
std::vector<Message> messages_of(const std::string& stream);

}  // namespace perdure::api::test
