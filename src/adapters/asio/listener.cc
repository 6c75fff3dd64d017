#include "adapters/asio/listener.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

#include "base/log.h"

namespace perdure::http {
namespace {

constexpr int kBacklog = 1024;
// So that a flood of clients does not keep the thread from those it has.
constexpr int kAcceptsPerTurn = 64;
// Without a free descriptor, accepting again at once would only spin.
constexpr int64_t kRetryMs = 100;

struct Address {
  sockaddr_storage storage{};
  socklen_t size = 0;
};

Result<Address> parse_address(const std::string& text, uint16_t port) {
  Address address;
  auto* v4 = reinterpret_cast<sockaddr_in*>(&address.storage);
  auto* v6 = reinterpret_cast<sockaddr_in6*>(&address.storage);
  if (inet_pton(AF_INET, text.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    address.size = sizeof *v4;
  } else if (inet_pton(AF_INET6, text.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    address.size = sizeof *v6;
  } else {
    return fail(Code::kInvalid, "cannot listen on '" + text +
                                    "': it is not an IP address; use e.g. 127.0.0.1 for this "
                                    "machine alone, or 0.0.0.0 for every interface");
  }
  return address;
}

std::string advice(int error) {
  switch (error) {
    case EADDRINUSE:
      return "; stop the process that has the port, or choose another port (0: any free one)";
    case EACCES:
      return "; ports below 1024 need a privilege: choose a higher one";
    case EADDRNOTAVAIL:
      return "; no interface of this machine has that address";
    case EMFILE:
    case ENFILE:
      return "; raise the limit of open files";
    default:
      return "";
  }
}

Result<uint16_t> listen_on(int fd, const Address& address) {
  // A restart must not wait for connections of the last run that are in TIME_WAIT.
  const int on = 1;
  setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  Address bound;
  bound.size = sizeof bound.storage;
  if (::bind(fd, reinterpret_cast<const sockaddr*>(&address.storage), address.size) != 0 ||
      ::listen(fd, kBacklog) != 0 ||
      ::getsockname(fd, reinterpret_cast<sockaddr*>(&bound.storage), &bound.size) != 0) {
    return fail(errno == EADDRINUSE ? Code::kConflict : Code::kUnavailable,
                std::strerror(errno) + advice(errno));
  }
  return ntohs(bound.storage.ss_family == AF_INET6
                   ? reinterpret_cast<sockaddr_in6*>(&bound.storage)->sin6_port
                   : reinterpret_cast<sockaddr_in*>(&bound.storage)->sin_port);
}

}  // namespace

Result<std::shared_ptr<Listener>> Listener::open(const std::string& text, uint16_t port,
                                                 Reactor& reactor,
                                                 std::function<void(int fd)> accepted) {
  TRY_ASSIGN(const Address address, parse_address(text, port));
  const std::string place =
      (text.find(':') == std::string::npos ? text : "[" + text + "]") + ":" + std::to_string(port);
  const int fd = ::socket(address.storage.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
  if (fd < 0) {
    return fail(Code::kUnavailable,
                "cannot listen on " + place + ": " + std::strerror(errno) + advice(errno));
  }
  const auto bound = listen_on(fd, address);
  if (!bound) {
    ::close(fd);
    return fail(bound.error().code, "cannot listen on " + place + ": " + bound.error().message);
  }
  return std::shared_ptr<Listener>(new Listener(reactor, fd, *bound, std::move(accepted)));
}

Listener::Listener(Reactor& reactor, int fd, uint16_t port, std::function<void(int fd)> accepted)
    : socket_(reactor, fd), retry_(reactor), port_(port), accepted_(std::move(accepted)) {}

Listener::~Listener() = default;

void Listener::start() {
  if (!closed_) socket_.wait_readable(shared_from_this());
}

void Listener::close() {
  closed_ = true;
  retry_.cancel();
  socket_.close();
}

void Listener::on_readable() {
  for (int i = 0; i < kAcceptsPerTurn && !closed_; ++i) {
    const int fd = ::accept4(socket_.fd(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
    if (fd >= 0) {
      accepted_(fd);
    } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
      log(LogLevel::kWarn, "http.accept_failed",
          {{"reason", std::strerror(errno) + advice(errno)}});
      retry_.set(kRetryMs, [this] { start(); });
      return;
    } else if (errno == EAGAIN) {
      break;
    }
    // Else that one client has gone already.
  }
  start();
}

}  // namespace perdure::http
