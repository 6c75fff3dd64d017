#include "engine/mailbox.h"

#include <algorithm>
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

std::vector<Input> Mailbox::take(size_t max) {
  std::vector<Input> taken;
  const std::lock_guard lock(mutex_);
  taken.reserve(std::min(max, inputs_.size()));
  while (!inputs_.empty() && taken.size() < max) {
    taken.push_back(std::move(inputs_.front()));
    inputs_.pop_front();
  }
  return taken;
}

void Mailbox::put_answer(Input input) {
  bool sleeping = false;
  {
    const std::lock_guard lock(mutex_);
    answers_.push_back(std::move(input));
    sleeping = sleeping_;
  }
  if (sleeping) came_.notify_one();
}

std::vector<Input> Mailbox::take_answers() {
  std::vector<Input> taken;
  const std::lock_guard lock(mutex_);
  taken.swap(answers_);
  return taken;
}

// Under the lock to the end: who takes the result may destroy the mailbox.
void Mailbox::put_commit(CommitResult result) {
  const std::lock_guard lock(mutex_);
  commit_ = std::move(result);
  if (sleeping_) came_.notify_one();
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
                 [this] { return !inputs_.empty() || !answers_.empty() || commit_ || woken_; });
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
  return inputs_.size() + answers_.size();
}

}  // namespace perdure::engine
