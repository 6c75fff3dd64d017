#pragma once
// Tells streams and waiting requests what became durable. Thread-safe.
#include <memory>
#include <mutex>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "engine/observer.h"

namespace perdure::api {

class Listener {
 public:
  virtual ~Listener() = default;
  // On the engine's thread, in order, every record from the subscription on: must not block, and
  // does no work.
  virtual void on_records(std::span<const Record> records) = 0;
  // A piece of a model's answer that is not durable and may be withdrawn. Any thread.
  virtual void on_delta(const StepId&, uint32_t /*attempt*/, std::string_view /*text*/) {}
  // The task is damaged. On the engine's thread, as above.
  virtual void on_damaged() = 0;
};

class LiveTasks : public engine::Observer {
 public:
  // What is committed after this returns is told. Who reads the store then misses nothing.
  void subscribe(const TaskId& task, std::shared_ptr<Listener> listener);
  void unsubscribe(const TaskId& task, const Listener* listener);
  void publish_delta(const TaskId& task, const StepId& step, uint32_t attempt,
                     std::string_view text);

  void on_durable(std::span<const engine::Committed> tasks) override;
  void on_quarantined(const TaskId& task) override;

 private:
  using Listeners = std::vector<std::shared_ptr<Listener>>;

  Listeners of(const TaskId& task);

  std::mutex mutex_;
  std::unordered_map<TaskId, Listeners> listeners_;
};

}  // namespace perdure::api
