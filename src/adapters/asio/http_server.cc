#include "adapters/asio/http_server.h"

#include <pthread.h>
#include <signal.h>
#include <unistd.h>

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <thread>
#include <utility>
#include <vector>

#include "adapters/asio/listener.h"
#include "adapters/asio/timer_queue.h"
#include "adapters/asio/worker.h"
#include "base/assert.h"

namespace perdure {
namespace {

// Above the limit so many at a time are told so; the rest are closed without a word.
constexpr size_t kRefusals = 64;

// Signals are the main thread's: an event loop must not be where SIGTERM arrives.
std::thread start_quiet_thread(std::function<void()> body) {
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_BLOCK, &all, &before);
  std::thread thread(std::move(body));
  pthread_setname_np(thread.native_handle(), "http");
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return thread;
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(const HttpServerOptions& options, api::Handler& handler)
      : options_(options), workers_(make_workers(options, handler)), timers_(first().reactor) {}

  Status start();
  void stop(int64_t grace_ms);
  uint16_t port() const { return port_; }
  http::Worker& first() { return *workers_.front(); }
  Timers& timers() { return timers_; }

 private:
  using Workers = std::vector<std::shared_ptr<http::Worker>>;

  static Workers make_workers(const HttpServerOptions& options, api::Handler& handler);
  void accepted(int fd);
  void close_listener();
  void drain(int64_t grace_ms);

  const HttpServerOptions options_;
  const Workers workers_;
  http::TimerQueue timers_;
  std::shared_ptr<http::Listener> listener_;
  std::vector<std::thread> threads_;
  uint16_t port_ = 0;
  size_t next_ = 0;  // the worker of the next connection

  std::mutex mutex_;
  std::condition_variable changed_;
  bool listener_closed_ = false;
  size_t drained_ = 0;
};

HttpServer::Impl::Workers HttpServer::Impl::make_workers(const HttpServerOptions& options,
                                                         api::Handler& handler) {
  PERDURE_ASSERT(options.threads > 0, "a server has a thread");
  Workers workers;
  for (int i = 0; i < options.threads; ++i) {
    workers.push_back(std::make_shared<http::Worker>(options, handler));
  }
  return workers;
}

Status HttpServer::Impl::start() {
  PERDURE_ASSERT(threads_.empty(), "a server is started once");
  TRY_ASSIGN(listener_, http::Listener::open(options_.address, options_.port, first().reactor,
                                             [this](int fd) { accepted(fd); }));
  port_ = listener_->port();
  first().reactor.post([listener = listener_] { listener->start(); });
  for (const auto& worker : workers_) {
    threads_.push_back(start_quiet_thread([worker] { worker->reactor.run(); }));
  }
  return {};
}

void HttpServer::Impl::accepted(int fd) {
  size_t open = 0;
  for (const auto& worker : workers_) open += worker->connection_count();
  if (open >= options_.max_connections + kRefusals) {
    ::close(fd);
    return;
  }
  const bool refused = open >= options_.max_connections;
  const auto& worker = workers_[next_++ % workers_.size()];
  if (worker->reactor.in_thread()) {
    worker->add(fd, refused);
  } else {
    worker->reactor.post([worker, fd, refused] { worker->add(fd, refused); });
  }
}

void HttpServer::Impl::stop(int64_t grace_ms) {
  if (threads_.empty()) return;
  for (const auto& worker : workers_) {
    PERDURE_ASSERT(!worker->reactor.in_thread(), "a server thread cannot wait for its own end");
  }
  close_listener();
  drain(grace_ms);
  for (const auto& worker : workers_) {
    worker->reactor.post([this, worker] {
      worker->close_all();
      if (worker == workers_.front()) timers_.stop();
      // Behind what closing has posted.
      worker->reactor.post([worker] { worker->reactor.finish(); });
    });
  }
  for (std::thread& thread : threads_) thread.join();
  threads_.clear();
}

// First, so that no connection is on its way to a worker when that one drains.
void HttpServer::Impl::close_listener() {
  first().reactor.post([this] {
    listener_->close();
    const std::lock_guard lock(mutex_);
    listener_closed_ = true;
    changed_.notify_all();
  });
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return listener_closed_; });
}

void HttpServer::Impl::drain(int64_t grace_ms) {
  for (const auto& worker : workers_) {
    worker->reactor.post([this, worker] {
      worker->drain([this] {
        const std::lock_guard lock(mutex_);
        ++drained_;
        changed_.notify_all();
      });
    });
  }
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, std::chrono::milliseconds(grace_ms),
                    [this] { return drained_ == workers_.size(); });
}

HttpServer::HttpServer(HttpServerOptions options, api::Handler& handler)
    : impl_(std::make_unique<Impl>(std::move(options), handler)) {}

HttpServer::~HttpServer() {
  stop(0);
}

Status HttpServer::start() {
  return impl_->start();
}

uint16_t HttpServer::port() const {
  return impl_->port();
}

void HttpServer::stop(int64_t grace_ms) {
  impl_->stop(grace_ms);
}

void HttpServer::post(std::function<void()> work) {
  impl_->first().reactor.post(std::move(work));
}

Timers& HttpServer::timers() {
  return impl_->timers();
}

}  // namespace perdure
