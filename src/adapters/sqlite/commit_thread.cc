#include "adapters/sqlite/commit_thread.h"

#include <utility>

#include "base/assert.h"

namespace perdure {

CommitThread::~CommitThread() {
  {
    const std::lock_guard lock(mutex_);
    ending_ = true;
  }
  changed_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void CommitThread::put(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    PERDURE_ASSERT(!next_, "one commit is under way at a time");
    next_ = std::move(work);
  }
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  changed_.notify_one();
}

bool CommitThread::is_busy() {
  const std::lock_guard lock(mutex_);
  return working_ || next_;
}

void CommitThread::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    changed_.wait(lock, [this] { return next_ || ending_; });
    if (!next_) return;
    const std::function<void()> work = std::exchange(next_, nullptr);
    working_ = true;
    lock.unlock();
    work();
    lock.lock();
    working_ = false;
  }
}

}  // namespace perdure
