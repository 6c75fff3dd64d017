#pragma once
// A thread that commits large batches, so that the engine goes on meanwhile.
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

namespace perdure {

// Put from one thread. The thread begins with the first work.
class CommitThread {
 public:
  CommitThread() = default;
  CommitThread(const CommitThread&) = delete;
  CommitThread& operator=(const CommitThread&) = delete;
  // Does the work that was put, if any, then ends.
  ~CommitThread();

  // At most one work waits while another goes on.
  void put(std::function<void()> work);
  // Work waits or goes on; put what must come after it here too.
  bool is_busy();

 private:
  void run();

  std::mutex mutex_;
  std::condition_variable changed_;
  std::function<void()> next_;
  bool working_ = false;
  bool ending_ = false;
  std::thread thread_;
};

}  // namespace perdure
