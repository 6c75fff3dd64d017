#include "adapters/asio/worker.h"

#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <exception>
#include <utility>

#include "base/log.h"

namespace perdure::http {
namespace {

constexpr int64_t kTellMs = 60'000;

int64_t tick_for(const HttpServerOptions& options) {
  const int64_t shortest_ms =
      std::min({options.header_timeout_ms, options.body_window_ms, options.idle_timeout_ms,
                options.write_window_ms, options.linger_timeout_ms});
  return std::clamp<int64_t>(shortest_ms / 8, 5, 250);
}

}  // namespace

Worker::Worker(const HttpServerOptions& server_options, api::Handler& server_handler)
    : options(server_options),
      handler(server_handler),
      tick_ms_(tick_for(server_options)),
      alarm_(reactor) {}

void Worker::add(int fd, bool refused) {
  if (draining_) {
    ::close(fd);
    return;
  }
  std::shared_ptr<Connection> connection;
  try {
    connection = std::make_shared<Connection>(shared_from_this(), fd);
  } catch (const std::exception& error) {  // epoll has no room
    log(LogLevel::kWarn, "http.connection_failed", {{"reason", error.what()}});
    ::close(fd);
    return;
  }
  connection->index = connections_.size();
  connections_.push_back(connection);
  count_.store(connections_.size(), std::memory_order_relaxed);
  if (!std::exchange(ticking_, true)) alarm_.set(tick_ms_, [this] { tick(); });
  if (refused) {
    connection->start_refused();
    return;
  }
  make_room_for_stranger();
  connection->stranger = strangers_.insert(strangers_.end(), connection.get());
  connection->start();
}

void Worker::make_room_for_stranger() {
  if (strangers_.size() < options.max_strangers) return;
  ++strangers_closed_;
  strangers_.front()->close();
}

void Worker::forget_stranger(Connection& connection) {
  if (!connection.stranger) return;
  strangers_.erase(*connection.stranger);
  connection.stranger.reset();
}

void Worker::tell_of_strangers(int64_t now_ms) {
  if (strangers_closed_ == 0 || now_ms < strangers_tell_ms_) return;
  log(LogLevel::kWarn, "http.strangers_closed",
      {{"count", std::to_string(std::exchange(strangers_closed_, 0))},
       {"why", "too many connections are open on which nobody has shown a credential"}});
  strangers_tell_ms_ = now_ms + kTellMs;
}

void Worker::remove(Connection& connection) {
  forget_stranger(connection);
  const size_t index = connection.index;
  const std::shared_ptr<Connection> kept = std::move(connections_[index]);
  connections_[index] = std::move(connections_.back());
  connections_.pop_back();
  if (index < connections_.size()) connections_[index]->index = index;
  count_.store(connections_.size(), std::memory_order_relaxed);
  if (connections_.empty() && empty_) std::exchange(empty_, nullptr)();
}

// Backwards: one that closes is replaced by the last, which was looked at already.
void Worker::tick() {
  const int64_t now_ms = Reactor::now_ms();
  for (size_t i = connections_.size(); i-- > 0;) {
    const auto connection = connections_[i];
    connection->check_deadline(now_ms);
  }
  tell_of_strangers(now_ms);
  ticking_ = !connections_.empty();
  if (ticking_) alarm_.set(tick_ms_, [this] { tick(); });
}

void Worker::drain(std::function<void()> empty) {
  draining_ = true;
  empty_ = std::move(empty);
  const auto open = connections_;
  for (const auto& connection : open) connection->drain();
  if (connections_.empty() && empty_) std::exchange(empty_, nullptr)();
}

void Worker::close_all() {
  draining_ = true;
  const auto open = connections_;
  for (const auto& connection : open) connection->close();
  alarm_.cancel();
  ticking_ = false;
}

Connection* Worker::slowest_reader(const Connection& spared) const {
  Connection* slowest = nullptr;
  for (const auto& connection : connections_) {
    if (connection.get() == &spared || !connection->waits_for_reader()) continue;
    if (slowest == nullptr || connection->taken_ms() < slowest->taken_ms()) {
      slowest = connection.get();
    }
  }
  return slowest;
}

bool Worker::has_room(size_t bytes, const Connection& spared) {
  while (held_bytes_ > spared.held_bytes() && held_bytes_ + bytes > options.max_unsent_bytes) {
    Connection* const slowest = slowest_reader(spared);
    if (slowest == nullptr) return false;
    if (Reactor::now_ms() - slowest->taken_ms() < options.stands_still_ms) return false;
    slowest->cut("others need the memory that its answer takes");
  }
  return true;
}

std::string_view Worker::date() {
  return date_.at(std::time(nullptr));
}

}  // namespace perdure::http
