#pragma once
// An answer that is held back until something happened to a task or the time is up.
#include <atomic>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "api/context.h"

namespace perdure::api {

class TaskWait : public Listener, public std::enable_shared_from_this<TaskWait> {
 public:
  // The answer, if it is time for it; `last`: in any case. Reads the store.
  using Look = std::function<std::optional<Response>(bool last)>;

  // Looks at once and then whenever the task ends or asks somebody, for `wait_ms` at most.
  static void start(Context& context, const std::string& tenant, const TaskId& task,
                    int64_t wait_ms, std::shared_ptr<Responder> responder, Look look);

  TaskWait(Context& context, std::string tenant, const TaskId& task,
           std::shared_ptr<Responder> responder, Look look);
  ~TaskWait() override;

  void on_records(std::span<const Record> records) override;
  void on_damaged() override;

 private:
  void look(bool last);
  // True for whoever ends the wait: once.
  bool end();

  Context& context_;
  const std::shared_ptr<RequestCounters> counters_;
  const std::string tenant_;
  const TaskId task_;
  const std::shared_ptr<Responder> responder_;
  const Look look_;
  std::atomic<uint64_t> timer_{0};
  std::atomic<bool> ended_{false};
};

}  // namespace perdure::api
