#pragma once
// One thread's event loop: readiness of descriptors, alarms, and work posted from other threads.
// Boost.Asio stands behind it, and nowhere else in this folder.
#include <cstdint>
#include <functional>
#include <memory>

namespace perdure::http {

class Reactor {
 public:
  Reactor();
  ~Reactor();
  Reactor(const Reactor&) = delete;
  Reactor& operator=(const Reactor&) = delete;

  // Runs on the calling thread until `finish` was called and nothing is waited for.
  void run();
  // On the reactor's thread. What is posted afterwards is dropped.
  void finish();
  // Any thread. Work waits for `run`.
  void post(std::function<void()> work);
  bool in_thread() const;
  // Monotonic.
  static int64_t now_ms();

 private:
  friend class Alarm;
  friend class Descriptor;
  struct State;
  std::unique_ptr<State> state_;
};

// One pending call at a time. Used on the reactor's thread.
class Alarm {
 public:
  explicit Alarm(Reactor& reactor);
  ~Alarm();

  // `ring` replaces the one that was set before.
  void set(int64_t delay_ms, std::function<void()> ring);
  void cancel();

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// Told when a descriptor is ready. Lives until then.
class Waiter {
 public:
  virtual ~Waiter() = default;
  virtual void on_readable() = 0;
  virtual void on_writable() = 0;
};

// Owns a non-blocking file descriptor. Used on the reactor's thread; once closed it may be
// destroyed on any.
class Descriptor {
 public:
  Descriptor(Reactor& reactor, int fd);
  ~Descriptor();

  int fd() const { return fd_; }
  // Each calls once, later, unless the descriptor is closed before. One of a kind at a time.
  void wait_readable(std::shared_ptr<Waiter> waiter);
  void wait_writable(std::shared_ptr<Waiter> waiter);
  void close();

 private:
  struct State;
  std::unique_ptr<State> state_;
  int fd_;
};

}  // namespace perdure::http
