#include "runtime/workers.h"

#include <sys/resource.h>

namespace perdure::runtime {
namespace {

constexpr int kLowNiceness = 10;

}  // namespace

Workers::Workers(size_t threads, Priority priority) {
  for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this, priority] { run(priority); });
}

Workers::~Workers() {
  stop();
}

void Workers::stop() {
  std::deque<std::function<void()>> dropped;
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    dropped.swap(queue_);
  }
  came_.notify_all();
  dropped.clear();
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

void Workers::put(std::function<void()> work) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_) return;
    queue_.push_back(std::move(work));
  }
  came_.notify_one();
}

void Workers::run(Priority priority) {
  // Of this thread alone: Linux has a niceness for each.
  if (priority == Priority::kLow) setpriority(PRIO_PROCESS, 0, kLowNiceness);
  for (;;) {
    std::unique_lock lock(mutex_);
    came_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
    if (queue_.empty()) return;
    const std::function<void()> work = std::move(queue_.front());
    queue_.pop_front();
    lock.unlock();
    work();
  }
}

}  // namespace perdure::runtime
