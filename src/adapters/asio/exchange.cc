#include "adapters/asio/exchange.h"

#include <utility>

#include "adapters/asio/connection.h"
#include "base/assert.h"

namespace perdure::http {

Exchange::Exchange(std::shared_ptr<Connection> connection, size_t max_waiting_bytes)
    : connection_(std::move(connection)), max_waiting_bytes_(max_waiting_bytes) {}

Exchange::~Exchange() {
  if (detached_) return;
  connection_->reactor().post([connection = connection_] { connection->abandoned(); });
}

void Exchange::respond(api::Response response) {
  std::function<void()> dropped;  // destroyed without the lock: it may own this exchange
  std::unique_lock lock(mutex_);
  PERDURE_ASSERT(phase_ == Phase::kOpen, "a request is answered once");
  phase_ = Phase::kEnded;
  dropped.swap(disconnect_);
  inbox_.answer = std::move(response);
  deliver(std::move(lock));
}

void Exchange::start_stream(api::Response head) {
  std::unique_lock lock(mutex_);
  PERDURE_ASSERT(phase_ == Phase::kOpen, "a request is answered once");
  phase_ = Phase::kStreaming;
  inbox_.answer = std::move(head);
  inbox_.stream = true;
  deliver(std::move(lock));
}

bool Exchange::write(std::string_view bytes) {
  std::unique_lock lock(mutex_);
  PERDURE_ASSERT(phase_ == Phase::kStreaming, "a stream is started before it is written");
  if (gone_) return false;
  if (bytes.empty()) return true;
  const size_t waiting_bytes = unsent_bytes_ + inbox_.bytes.size();
  if (waiting_bytes > 0 && waiting_bytes + bytes.size() > max_waiting_bytes_) {
    gone_ = true;
    inbox_.cut = true;
    deliver(std::move(lock));
    return false;
  }
  inbox_.bytes += bytes;
  deliver(std::move(lock));
  return true;
}

void Exchange::end_stream() {
  std::function<void()> dropped;
  std::unique_lock lock(mutex_);
  PERDURE_ASSERT(phase_ == Phase::kStreaming, "a stream is started before it is ended");
  phase_ = Phase::kEnded;
  dropped.swap(disconnect_);
  inbox_.end = true;
  deliver(std::move(lock));
}

void Exchange::sender_is_known() {
  if (!detached_) connection_->sender_is_known();
}

void Exchange::on_disconnect(std::function<void()> callback) {
  const std::lock_guard lock(mutex_);
  if (phase_ == Phase::kEnded) return;
  disconnect_ = std::move(callback);
  if (gone_) post_disconnect();
}

void Exchange::disconnected() {
  const std::lock_guard lock(mutex_);
  gone_ = true;
  if (disconnect_) post_disconnect();
}

// With the lock held.
void Exchange::post_disconnect() {
  connection_->reactor().post([self = shared_from_this()] {
    std::function<void()> callback;
    {
      const std::lock_guard lock(self->mutex_);
      callback.swap(self->disconnect_);
    }
    if (callback) callback();
  });
}

void Exchange::set_unsent(size_t bytes) {
  const std::lock_guard lock(mutex_);
  unsent_bytes_ = bytes;
}

// Calls from other threads that come before the reactor's turn share one post.
void Exchange::deliver(std::unique_lock<std::mutex> lock) {
  if (connection_->reactor().in_thread()) {
    lock.unlock();
    drain();
  } else if (!std::exchange(posted_, true)) {
    connection_->reactor().post([self = shared_from_this()] { self->drain(); });
  }
}

void Exchange::drain() {
  Inbox inbox;
  {
    const std::lock_guard lock(mutex_);
    posted_ = false;
    std::swap(inbox, inbox_);
    unsent_bytes_ += inbox.bytes.size();
  }
  if (detached_) return;
  if (inbox.answer && !inbox.stream) {
    detached_ = true;
    connection_->answer(std::move(*inbox.answer));
    return;
  }
  if (inbox.answer && !connection_->start_stream(*inbox.answer)) {
    detached_ = true;
    disconnected();
    return;
  }
  if (!inbox.bytes.empty()) connection_->stream(inbox.bytes);
  if (inbox.cut) connection_->cut_stream();
  detached_ = inbox.end || inbox.cut;
  if (inbox.end) connection_->end_stream();
}

}  // namespace perdure::http
