#pragma once
// A few threads for work that must not run on the engine's: rendering prompts, parsing answers.
#include <condition_variable>
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
  explicit Workers(size_t threads);
  ~Workers();  // finishes what has begun; the rest is dropped, as a crash would
  Workers(const Workers&) = delete;
  Workers& operator=(const Workers&) = delete;

  void put(std::function<void()> work);  // thread-safe

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace perdure::runtime
