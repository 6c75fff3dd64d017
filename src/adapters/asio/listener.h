#pragma once
// The listening socket.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "adapters/asio/reactor.h"
#include "base/error.h"

namespace perdure::http {

class Listener final : public Waiter, public std::enable_shared_from_this<Listener> {
 public:
  // Binds and listens; connections wait in the system until `start`. `accepted` is given each
  // connected, non-blocking socket, which it then owns, on the reactor's thread.
  static Result<std::shared_ptr<Listener>> open(const std::string& address, uint16_t port,
                                                Reactor& reactor,
                                                std::function<void(int fd)> accepted);
  ~Listener() override;

  uint16_t port() const { return port_; }
  // Both on the reactor's thread.
  void start();
  void close();

 private:
  Listener(Reactor& reactor, int fd, uint16_t port, std::function<void(int fd)> accepted);

  void on_readable() override;
  void on_writable() override {}

  Descriptor socket_;
  Alarm retry_;
  const uint16_t port_;
  std::function<void(int fd)> accepted_;
  bool closed_ = false;
};

}  // namespace perdure::http
