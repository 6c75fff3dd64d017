#include "adapters/asio/worker.h"

#include <unistd.h>

#include <algorithm>
#include <ctime>
#include <exception>
#include <utility>

#include "base/log.h"

namespace perdure::http {
namespace {

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
  refused ? connection->start_refused() : connection->start();
}

void Worker::remove(Connection& connection) {
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
