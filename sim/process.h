#pragma once
// One life of the server: the shipping runtime between simulated ports. What it holds dies with it.
#include <memory>
#include <set>

#include "dice.h"
#include "engine/observer.h"
#include "network.h"
#include "runtime/runtime.h"
#include "sim_store.h"
#include "snapshots.h"
#include "tool/http_executor.h"
#include "web.h"
#include "wild_planner.h"

namespace perdure::sim {

class SimRng : public Rng {
 public:
  explicit SimRng(Dice& dice) : dice_(dice) {}
  uint64_t next() override { return dice_.bits(); }

 private:
  Dice& dice_;
};

// The shipping executor for HTTP tools; the oracle learns whose request it makes.
class SimTools : public Executor {
 public:
  SimTools(World& world, SimHttp& http, std::vector<HttpToolConfig> tools);
  void start(CallRequest request, Done done) override;
  void abort(const TaskId& task, const StepId& step) override { tools_.abort(task, step); }
  void answer(const TaskId& task, const StepId& step, Seq interrupt_seq, Decision decision,
              const Payload& given) override;

 private:
  void ask(CallRequest request, Done done);
  void go_on(const Position& position);
  void begin(CallRequest request, Done done);

  World& world_;
  SimHttp& http_;
  HttpToolExecutor tools_;
  // Calls that asked a person something before they went on.
  std::map<Position, std::pair<CallRequest, Done>> asking_;
};

// What becomes visible is durable, dense and seen once; then the routes see it.
class Watcher : public engine::Observer {
 public:
  explicit Watcher(World& world) : world_(world) {}
  void on_durable(std::span<const engine::Committed> tasks) override;
  void on_quarantined(const TaskId& task) override {
    if (next != nullptr) next->on_quarantined(task);
  }

  engine::Observer* next = nullptr;

 private:
  World& world_;
  std::map<TaskId, Seq> seen_;
};

class Process {
 public:
  Process(World& world, Disk& disk, Network& network, const runtime::Setup& setup);
  ~Process();

  engine::Engine& engine() { return runtime_->engine(); }
  Web& web() { return *web_; }
  std::string agent_version();  // of the agent that is configured
  SimStore& store() { return store_; }
  // Tasks whose live state, where it is durable, is not the fold of their journal.
  void compare_states();
  void touch(const TaskId& task) { touched_.insert(task); }
  bool failed() const { return failed_; }

 private:
  World& world_;
  SimStore store_;
  SimBlobs blobs_;
  SimSnapshots snapshots_;
  SimRng rng_;
  SimHttp http_;
  SimTools tools_;
  WildPlanner wild_;
  Watcher watcher_;
  std::set<TaskId> touched_;
  bool failed_ = false;
  std::unique_ptr<runtime::Runtime> runtime_;
  std::unique_ptr<Web> web_;  // ends before what it shows
};

}  // namespace perdure::sim
