#pragma once
// An HTTP/1.1 server (RFC 9110, RFC 9112) that drives an api::Handler. Plain TCP: TLS and HTTP/2
// are a reverse proxy's. Each thread has its own event loop and its own connections, so no
// connection is ever touched by two threads.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "api/http.h"
#include "base/error.h"
#include "ports/timers.h"

namespace perdure {

struct HttpServerOptions {
  std::string address = "127.0.0.1";  // IPv4 or IPv6, no names
  uint16_t port = 0;                  // 0: the system chooses
  int threads = 1;

  size_t max_connections = 10'000;  // above it: 503
  // Connections, a thread, on which nobody has shown a credential yet: for one more, the oldest of
  // them is closed.
  size_t max_strangers = 5'000;
  size_t max_target_bytes = 8u << 10;
  size_t max_header_bytes = 16u << 10;  // request line, header fields and trailer fields together
  size_t max_header_count = 100;
  size_t max_body_bytes = 4u << 20;  // after chunks are joined
  // Of bodies that are still coming, a thread; a body that would be more is refused with 503.
  size_t max_bodies_bytes = 256u << 20;
  size_t max_stream_bytes = 1u << 20;  // what may wait for a slow reader of a stream
  // Of answers and streams that wait for their readers, a thread. Where one would be more, readers
  // that stand still are cut, and else it is refused; alone it may be of any size.
  size_t max_unsent_bytes = 64u << 20;

  int64_t header_timeout_ms = 10'000;  // from a request's first byte to the end of its header
  // So much more of a body, or its end, must arrive in each window. What came earlier earns
  // nothing.
  int64_t body_window_ms = 10'000;
  size_t body_window_bytes = 40u << 10;
  int64_t idle_timeout_ms = 75'000;  // between requests, and before the first
  // So much more of what waits, or its end, must be taken by the client in each window.
  int64_t write_window_ms = 30'000;
  size_t write_window_bytes = 40u << 10;
  int64_t stands_still_ms = 1'000;    // without as much, and it makes room for others
  int64_t linger_timeout_ms = 2'000;  // for the client to close after the last answer
};

class HttpServer {
 public:
  // `handler` outlives the server. It is called on the server's threads.
  HttpServer(HttpServerOptions options, api::Handler& handler);
  // Stops at once.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  // Listens and starts the threads. Once.
  Status start();
  // The actual one, after `start`.
  uint16_t port() const;

  // Accepts nothing more, closes idle connections, and lets answers in flight finish for at most
  // `grace_ms`; then closes all. Blocks until the threads have ended. Not on a server thread.
  // What is called on a Responder afterwards is dropped.
  void stop(int64_t grace_ms);

  // Runs `work` on the first server thread, in the order posted; before `start` it waits for it,
  // after `stop` it is dropped. Any thread.
  void post(std::function<void()> work);

  // On the first server thread. `after` and `cancel` may be called on any thread; called on the
  // server thread, `cancel` is certain to prevent the call.
  Timers& timers();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace perdure
