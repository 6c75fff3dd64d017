#pragma once
// The answer to one request, as its handler sees it. Any thread may call it; what it says goes to
// the connection on the reactor's thread, in order.
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "api/http.h"

namespace perdure::http {

class Connection;

class Exchange final : public api::Responder, public std::enable_shared_from_this<Exchange> {
 public:
  // `max_waiting_bytes`: what may wait for a slow reader. One write of any size is taken when
  // nothing waits, or its stream could never go on.
  Exchange(std::shared_ptr<Connection> connection, size_t max_waiting_bytes);
  // Unanswered: the connection answers 500, or cuts the stream.
  ~Exchange() override;

  void respond(api::Response response) override;
  void start_stream(api::Response head) override;
  bool write(std::string_view bytes) override;
  void end_stream() override;
  void sender_is_known() override;
  void on_disconnect(std::function<void()> callback) override;

  // From the connection, on the reactor's thread. The callback runs later on it, never from inside
  // a call of the handler's.
  void disconnected();
  // So many bytes of the stream are not yet with the system.
  void set_unsent(size_t bytes);

 private:
  enum class Phase { kOpen, kStreaming, kEnded };

  struct Inbox {
    std::optional<api::Response> answer;  // the head, if `stream`
    bool stream = false;
    bool end = false;
    bool cut = false;  // the client was too slow
    std::string bytes;
  };

  void deliver(std::unique_lock<std::mutex> lock);
  void drain();
  void post_disconnect();

  const std::shared_ptr<Connection> connection_;
  const size_t max_waiting_bytes_;
  bool detached_ = false;  // the reactor's thread: the connection has left this exchange

  std::mutex mutex_;  // guards all below
  Phase phase_ = Phase::kOpen;
  bool gone_ = false;
  bool posted_ = false;
  size_t unsent_bytes_ = 0;
  Inbox inbox_;
  std::function<void()> disconnect_;
};

}  // namespace perdure::http
