#pragma once
// One seed's world: the disk, the receivers, the clients and the people, and the lives of a process
// among them. Everything that happens is an event of one schedule; every choice comes from one
// stream of dice.
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>

#include "checkers/checker.h"
#include "clients.h"
#include "core/state.h"
#include "dice.h"
#include "disk.h"
#include "finding.h"
#include "knobs.h"
#include "ledger.h"
#include "network.h"
#include "oracle.h"
#include "people.h"
#include "probes.h"
#include "readers.h"
#include "runtime/runtime.h"
#include "schedule.h"
#include "trace.h"

namespace perdure::sim {

class Process;

struct Report {
  Finding verdict;
  uint64_t events = 0;
  uint64_t hash = 0;
  int64_t virtual_us = 0;
  uint64_t crashes = 0;
  uint64_t faults = 0;  // what went wrong outside the engine's control, crashes included
  Probes probes;
  std::deque<std::string> last;
};

std::string describe(const Record& record);

class World {
 public:
  World(uint64_t seed, Trace::Text text);
  ~World();

  Report run();

  // For the parts of the world.
  Dice& dice() { return dice_; }
  const Knobs& knobs() const { return knobs_; }
  SimClock& clock() { return clock_; }
  int64_t now_us() const { return schedule_.now_us(); }
  Oracle& oracle() { return oracle_; }
  const Disk& disk() const { return disk_; }
  const Evidence& evidence() const { return evidence_; }
  Finding& verdict() { return verdict_; }
  bool is_healed() const { return healed_; }
  void probe(Probe probe) { outcome_.probes.hit(probe); }
  template <class Line>
  void trace(std::string_view what, const TaskId& task, uint64_t number, const Line& line) {
    trace_.event(now_us(), what, number_of(task), number,
                 [&] { return name_of_task(task) + line(); });
  }

  // Events. `in_process`: dropped if the process is gone by then.
  void after(int64_t delay_us, std::string_view what, std::function<void()> event);
  void in_process(int64_t delay_us, std::string_view what, std::function<void()> event);

  // The process. Doomed: it dies before the next event, and what it says until then is not said.
  uint64_t process() const { return lives_; }
  bool is_alive(uint64_t life) const { return process_ && !doomed_ && life == lives_; }
  bool is_doomed() const { return doomed_; }
  void poke() { poked_ = true; }  // a commit has ended: the engine's thread wakes up
  // Something is about to leave the process: false if it dies first.
  bool output(std::string_view what, const TaskId& task);
  // Another process has taken the task over.
  bool is_lost(const TaskId& task) const { return disk_.fences.contains(task); }
  void plan_takeover();  // tasks were lost to another process: a later life gets them back

  // What reaches the process, if there is one.
  using Said = std::function<void(const engine::Submitted&)>;
  void ask(api::Request request, std::shared_ptr<Line> line);
  void submit(engine::NewTask task);
  void command(const TaskId& task, Command command, Said said = {});
  void decide(const TaskId& task, const Resolve& decision, InterruptReason reason, bool wrong_args);
  void answer_turn(const TaskId& task, const AnswerTurn& turn, std::string_view how);
  void late_answer(const TaskId& task, SettleStep settle);

  void loads(const TaskId& task);  // through a snapshot

  // What is seen outside.
  void make_durable(const Batch& batch);  // of the store
  void written(const Sent& sent);
  void applied(const Sent& sent);
  void model_request_written(std::string_view body);
  void acknowledged(const Ack& ack);
  void remember_answer(const TaskId& task, uint64_t turn, const Sha256& hash,
                       std::vector<std::string> names);

  Readers& readers() { return readers_; }
  std::string random_tool();
  int64_t horizon_of(const std::string& tool) const;
  const std::string& agent_version() const { return agent_version_; }
  const core::TaskState& folded(const TaskId& task) { return folded_[task]; }

 private:
  void start_process();
  void crash(Probe why);
  void restart_later();
  void pump();
  void pump_at(int64_t time_us);
  int64_t idle_until_us();
  void step();
  void safety();
  void heal();
  void come_to_rest();
  void finish();
  bool all_ended() const;
  bool rest_for(int64_t rest_us);
  std::map<TaskId, Seq> heads_of_idle() const;
  void jump_wall();
  void decay();
  bool may_end(const SeenTask& task) const;
  void decide_over_http(const TaskId& task, const Resolve& decision, bool wrong_args);
  void take_note(const SeenTask& before, const Record& record);
  void fault() { ++outcome_.faults; }

  static uint64_t number_of(const TaskId& task);
  std::string name_of_task(const TaskId& task) const;

  Dice dice_;
  Knobs knobs_;
  Dice decay_dice_;  // of its own: a bit that flips changes nothing else of the world
  int64_t flips_left_;
  Trace trace_;
  Schedule schedule_;
  SimClock clock_;
  Disk disk_;
  Oracle oracle_;
  std::map<TaskId, SeenTask> tasks_;
  std::map<TaskId, core::TaskState> folded_;
  Answers answers_;
  Finding verdict_;
  Evidence evidence_;
  Checkers checkers_;
  runtime::Setup setup_;
  std::vector<std::string> tools_;
  std::map<std::string, int64_t> horizons_;
  std::string agent_version_;
  Network network_;
  People people_;
  Readers readers_;
  Clients clients_;
  Report outcome_;

  std::unique_ptr<Process> process_;
  uint64_t lives_ = 0;
  bool doomed_ = false;
  bool healed_ = false;
  bool takeover_planned_ = false;
  int64_t down_since_us_ = 0;
  int64_t started_us_ = 0;
  bool was_down_long_ = false;
  std::optional<Schedule::Id> pump_;
  uint64_t idle_rounds_ = 0;
  bool poked_ = false;
};

}  // namespace perdure::sim
