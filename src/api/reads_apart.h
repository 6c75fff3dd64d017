#pragma once
// Work that reads the store, on threads that nobody else waits for, in turn: one piece of each
// tenant, round and round. Not for other folders.
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/shares.h"
#include "base/turns.h"

namespace perdure::api {

// Thread-safe.
class ReadsApart {
 public:
  // `apart` runs a piece of work somewhere else, soon.
  ReadsApart(std::function<void(std::function<void()>)> apart, size_t waiting_max)
      : apart_(std::move(apart)), waiting_(std::make_shared<Waiting>(waiting_max)) {}

  // Whether a request of this tenant may wait.
  bool has_room(const std::string& tenant) const { return waiting_->shares.has_room(tenant); }
  void put(const std::string& tenant, std::function<void()> work) {
    waiting_->shares.add(tenant);
    {
      const std::lock_guard lock(waiting_->mutex);
      waiting_->turns.add(tenant, {tenant, std::move(work)});
    }
    apart_([waiting = waiting_] { waiting->run_next(); });
  }

 private:
  struct Piece {
    std::string tenant;
    std::function<void()> work;
  };
  // Shared: what was put may begin when its owner is gone.
  struct Waiting {
    explicit Waiting(size_t max) : shares(max) {}
    void run_next() {
      Piece piece;
      {
        const std::lock_guard lock(mutex);
        piece = turns.take();  // there is one for each call
      }
      shares.give_back(piece.tenant);
      piece.work();
    }

    Shares shares;
    std::mutex mutex;
    Turns<Piece> turns;
  };

  std::function<void(std::function<void()>)> apart_;
  std::shared_ptr<Waiting> waiting_;
};

}  // namespace perdure::api
