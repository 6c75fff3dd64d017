#pragma once
// A few readers that threads share: each is lent to one thread at a time.
#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include "adapters/sqlite/reader.h"

namespace perdure {

class ReaderPool {
 public:
  explicit ReaderPool(std::vector<std::unique_ptr<Reader>> readers) : free_(std::move(readers)) {}

  // Calls `read` with a reader. Waits while all are lent.
  template <class Read>
  auto with(Read read) {
    Loan loan(*this);
    return read(*loan.reader);
  }

 private:
  struct Loan {
    explicit Loan(ReaderPool& from) : pool(from) {
      std::unique_lock lock(pool.mutex_);
      pool.returned_.wait(lock, [&] { return !pool.free_.empty(); });
      reader = std::move(pool.free_.back());
      pool.free_.pop_back();
    }
    ~Loan() {
      {
        const std::lock_guard lock(pool.mutex_);
        pool.free_.push_back(std::move(reader));
      }
      pool.returned_.notify_one();
    }
    Loan(const Loan&) = delete;
    Loan& operator=(const Loan&) = delete;

    ReaderPool& pool;
    std::unique_ptr<Reader> reader;
  };

  std::mutex mutex_;
  std::condition_variable returned_;
  std::vector<std::unique_ptr<Reader>> free_;
};

}  // namespace perdure
