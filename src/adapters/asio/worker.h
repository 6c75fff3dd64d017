#pragma once
// One thread's share of a server: its reactor and its connections.
#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <list>
#include <memory>
#include <vector>

#include "adapters/asio/connection.h"
#include "adapters/asio/http_server.h"
#include "adapters/asio/reactor.h"
#include "adapters/asio/response_head.h"

namespace perdure::http {

class Worker : public std::enable_shared_from_this<Worker> {
 public:
  Worker(const HttpServerOptions& options, api::Handler& handler);

  // Any thread.
  size_t connection_count() const { return count_.load(std::memory_order_relaxed); }

  // All below: the reactor's thread.
  // Owns `fd`. `refused`: it is told so and closed.
  void add(int fd, bool refused);
  void remove(Connection& connection);
  // It is no stranger's, or not any more.
  void forget_stranger(Connection& connection);
  // No further requests; `empty` is called when the last connection has closed.
  void drain(std::function<void()> empty);
  void close_all();
  bool draining() const { return draining_; }
  // Bytes of bodies that are still coming, over all connections.
  void count_bodies(size_t before, size_t now) { bodies_bytes_ += now - before; }
  bool bodies_are_too_many() const { return bodies_bytes_ > options.max_bodies_bytes; }
  // Bytes of answers that wait for their readers, over all connections.
  void count_held(size_t before, size_t now) { held_bytes_ += now - before; }
  // Whether so much more may wait for the reader of `spared`: always, if nothing waits for others.
  // Closes others that stand still, the longest first, until it may.
  bool has_room(size_t bytes, const Connection& spared);
  std::string_view date();

  const HttpServerOptions options;
  api::Handler& handler;
  Reactor reactor;
  // What one read may bring; idle connections own no buffer.
  std::array<char, 64u << 10> scratch;

 private:
  void tick();
  void make_room_for_stranger();
  void tell_of_strangers(int64_t now_ms);
  Connection* slowest_reader(const Connection& spared) const;

  std::vector<std::shared_ptr<Connection>> connections_;
  std::list<Connection*> strangers_;  // the oldest first
  uint64_t strangers_closed_ = 0;     // since the log was told
  int64_t strangers_tell_ms_ = 0;     // not again before
  std::atomic<size_t> count_{0};
  size_t bodies_bytes_ = 0;
  size_t held_bytes_ = 0;
  // Deadlines are looked at this often: cheaper than a timer for each connection.
  const int64_t tick_ms_;
  Alarm alarm_;
  bool ticking_ = false;
  bool draining_ = false;
  std::function<void()> empty_;
  DateLine date_;
};

}  // namespace perdure::http
