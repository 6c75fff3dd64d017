#pragma once
// Who submits tasks: with a key, again and again until an answer comes, and sometimes after; who
// cancels them, and takes note of their end.
#include <optional>
#include <string>
#include <vector>

#include "base/id.h"
#include "journal/command.h"
#include "web.h"

namespace perdure::sim {

class World;

class Clients {
 public:
  explicit Clients(World& world) : world_(world) {}

  void begin();
  bool all_answered() const;

 private:
  struct Job {
    std::string tag, key;
    Submit submit;
    std::string agent;  // as it is called over HTTP; empty: this client embeds the engine
    std::optional<TaskId> task;
    bool damaged = false;  // it was told that its task is
    int attempts = 0;
  };

  Job make(int64_t number);
  void submit(size_t job);
  void submit_other_body(size_t job);
  void submit_inside(size_t job);
  void submit_over_http(size_t job);
  void other_body_is_accepted();
  void take_answer(size_t job, const api::Response& response);
  void told_damaged(Job& job);
  void command(const Job& job, Command command);
  void answered(size_t job, const TaskId& task, bool repeated);
  void visit(size_t job);
  void claim_timer_is_due(size_t job);

  World& world_;
  std::vector<Job> jobs_;
};

}  // namespace perdure::sim
