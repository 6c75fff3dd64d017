#include "adapters/asio/reactor.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <mutex>
#include <utility>

namespace perdure::http {
namespace asio = boost::asio;
namespace {

using Executor = asio::io_context::executor_type;
using SteadyTimer =
    asio::basic_waitable_timer<std::chrono::steady_clock,
                               asio::wait_traits<std::chrono::steady_clock>, Executor>;
using StreamDescriptor = asio::posix::basic_stream_descriptor<Executor>;

thread_local const Reactor* current = nullptr;

}  // namespace

struct Reactor::State {
  asio::io_context io{1};  // one thread runs it: Asio takes fewer locks and wakes less
  asio::executor_work_guard<Executor> guard{io.get_executor()};
  std::mutex mutex;
  bool finished = false;
};

Reactor::Reactor() : state_(std::make_unique<State>()) {}
Reactor::~Reactor() = default;

void Reactor::run() {
  current = this;
  state_->io.run();
  current = nullptr;
}

void Reactor::finish() {
  const std::lock_guard lock(state_->mutex);
  state_->finished = true;
  state_->guard.reset();
}

void Reactor::post(std::function<void()> work) {
  const std::lock_guard lock(state_->mutex);
  if (!state_->finished) asio::post(state_->io, std::move(work));
}

bool Reactor::in_thread() const {
  return current == this;
}

int64_t Reactor::now_ms() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

struct Alarm::State {
  explicit State(asio::io_context& io) : timer(io.get_executor()) {}
  SteadyTimer timer;
  std::function<void()> ring;
  // A handler that was already queued when the alarm changed sees another number.
  uint64_t setting = 0;
};

Alarm::Alarm(Reactor& reactor) : state_(std::make_shared<State>(reactor.state_->io)) {}

Alarm::~Alarm() {
  cancel();
}

void Alarm::set(int64_t delay_ms, std::function<void()> ring) {
  state_->ring = std::move(ring);
  const uint64_t setting = ++state_->setting;
  state_->timer.expires_after(std::chrono::milliseconds(delay_ms));
  state_->timer.async_wait(
      [weak = std::weak_ptr(state_), setting](const boost::system::error_code& error) {
        const auto state = weak.lock();
        if (error || !state || state->setting != setting) return;
        // Moved out first: it may set the alarm again.
        const auto due = std::exchange(state->ring, nullptr);
        due();
      });
}

void Alarm::cancel() {
  ++state_->setting;
  state_->ring = nullptr;
  state_->timer.cancel();
}

struct Descriptor::State {
  State(asio::io_context& io, int fd) : stream(io.get_executor(), fd) {}
  StreamDescriptor stream;
};

Descriptor::Descriptor(Reactor& reactor, int fd)
    : state_(std::make_unique<State>(reactor.state_->io, fd)), fd_(fd) {}
Descriptor::~Descriptor() = default;

void Descriptor::wait_readable(std::shared_ptr<Waiter> waiter) {
  state_->stream.async_wait(StreamDescriptor::wait_read,
                            [waiter = std::move(waiter)](const boost::system::error_code& error) {
                              if (error != asio::error::operation_aborted) waiter->on_readable();
                            });
}

void Descriptor::wait_writable(std::shared_ptr<Waiter> waiter) {
  state_->stream.async_wait(StreamDescriptor::wait_write,
                            [waiter = std::move(waiter)](const boost::system::error_code& error) {
                              if (error != asio::error::operation_aborted) waiter->on_writable();
                            });
}

void Descriptor::close() {
  boost::system::error_code ignored;
  (void)state_->stream.close(ignored);
}

}  // namespace perdure::http
