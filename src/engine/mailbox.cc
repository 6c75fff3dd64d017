#include "engine/mailbox.h"

#include <chrono>
#include <utility>

namespace perdure::engine {

void Mailbox::put(Input input) {
  bool sleeping = false;
  {
    const std::lock_guard lock(mutex_);
    inputs_.push_back(std::move(input));
    sleeping = sleeping_;
  }
  if (sleeping) came_.notify_one();
}

std::vector<Input> Mailbox::take() {
  std::vector<Input> taken;
  const std::lock_guard lock(mutex_);
  taken.swap(inputs_);
  return taken;
}

void Mailbox::put_commit(CommitResult result) {
  bool sleeping = false;
  {
    const std::lock_guard lock(mutex_);
    commit_ = std::move(result);
    sleeping = sleeping_;
  }
  if (sleeping) came_.notify_one();
}

std::optional<CommitResult> Mailbox::take_commit() {
  const std::lock_guard lock(mutex_);
  return std::exchange(commit_, std::nullopt);
}

bool Mailbox::has_commit() {
  const std::lock_guard lock(mutex_);
  return commit_.has_value();
}

void Mailbox::wait(int64_t timeout_us) {
  std::unique_lock lock(mutex_);
  sleeping_ = true;
  came_.wait_for(lock, std::chrono::microseconds(timeout_us),
                 [this] { return !inputs_.empty() || commit_ || woken_; });
  sleeping_ = false;
  woken_ = false;
}

void Mailbox::wake() {
  {
    const std::lock_guard lock(mutex_);
    woken_ = true;
  }
  came_.notify_one();
}

size_t Mailbox::size() {
  const std::lock_guard lock(mutex_);
  return inputs_.size();
}

}  // namespace perdure::engine
