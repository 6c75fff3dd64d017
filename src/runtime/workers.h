#pragma once
// A few threads for work that must not run on the engine's: rendering prompts, parsing answers.
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

namespace perdure::runtime {

// Runs a piece of work somewhere, some time: a pool of threads, or a simulator's queue.
using Spawn = std::function<void(std::function<void()>)>;

class Workers {
 public:
  // kLow: threads that give way to all others, for work that may take long.
  enum class Priority : uint8_t { kUsual, kLow };
  explicit Workers(size_t threads, Priority priority = Priority::kUsual);
  ~Workers();  // stops
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  // Thread-safe. Does nothing once it was stopped.
  void put(std::function<void()> work);
  // Finishes what has begun; the rest is dropped, as a crash would. Afterwards no thread is left.
  void stop();

 private:
  void run(Priority priority);

  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace perdure::runtime
