#pragma once
// The one thread that owns an engine.
#include <atomic>
#include <thread>

#include "engine/engine.h"

namespace perdure::runtime {

class EngineThread {
 public:
  EngineThread(engine::Engine& engine, Clock& clock) : engine_(engine), clock_(clock) {}
  ~EngineThread() { stop(0); }
  EngineThread(const EngineThread&) = delete;
  EngineThread& operator=(const EngineThread&) = delete;

  void start();
  // Drains: what is under way may end within `grace_ms`; what does not is in doubt after the next
  // start. Returns when the thread has ended.
  void stop(int64_t grace_ms);

 private:
  void run();

  engine::Engine& engine_;
  Clock& clock_;
  std::thread thread_;
  std::atomic<bool> stopping_{false};
  std::atomic<int64_t> stop_at_us_{0};
};

}  // namespace perdure::runtime
