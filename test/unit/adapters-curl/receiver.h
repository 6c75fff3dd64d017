#pragma once
// Receivers for the tests: small blocking servers that count what reaches them.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <cstring>
#include <functional>
#include <list>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

#include "adapters/curl/address.h"

namespace perdure::test {

// One accepted connection, on a thread of its own.
class Peer {
 public:
  explicit Peer(int fd) : fd_(fd) {}

  // A whole request, head and body by Content-Length; empty if the sender closed before its end.
  std::string read_request() {
    std::string text;
    while (true) {
      const size_t head = text.find("\r\n\r\n");
      if (head != std::string::npos && text.size() >= head + 4 + content_length(text)) return text;
      char buffer[16384];
      const ssize_t got = recv(fd_, buffer, sizeof buffer, 0);
      if (got <= 0) return {};
      text.append(buffer, static_cast<size_t>(got));
    }
  }

  bool write(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  // Blocks until the sender closes; how many bytes came before that.
  size_t wait_for_close() {
    size_t bytes = 0;
    char buffer[4096];
    for (ssize_t got = 0; (got = recv(fd_, buffer, sizeof buffer, 0)) > 0;) {
      bytes += static_cast<size_t>(got);
    }
    return bytes;
  }

  int fd() const { return fd_; }

 private:
  static size_t content_length(std::string_view text) {
    const size_t at = text.find("Content-Length: ");
    return at == std::string_view::npos ? 0 : std::stoul(std::string(text.substr(at + 16, 20)));
  }

  int fd_;
};

inline std::string answer(std::string_view status, std::string_view body,
                          std::string_view headers = "") {
  return "HTTP/1.1 " + std::string(status) + "\r\nContent-Length: " + std::to_string(body.size()) +
         "\r\n" + std::string(headers) + "\r\n" + std::string(body);
}

class Receiver {
 public:
  // Called for each connection; the connection is closed when it returns.
  using Script = std::function<void(Peer&, Receiver&)>;

  explicit Receiver(Script script, const std::string& address = "127.0.0.1", uint16_t port = 0)
      : script_(std::move(script)) {
    const bool v6 = address.find(':') != std::string::npos;
    listener_ = socket(v6 ? AF_INET6 : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const int one = 1;
    setsockopt(listener_, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    sockaddr_in6 in6{};
    sockaddr_in in4{};
    socklen_t size = v6 ? sizeof in6 : sizeof in4;
    auto* name = v6 ? reinterpret_cast<sockaddr*>(&in6) : reinterpret_cast<sockaddr*>(&in4);
    if (v6) {
      in6.sin6_family = AF_INET6;
      in6.sin6_port = htons(port);
      inet_pton(AF_INET6, address.c_str(), &in6.sin6_addr);
    } else {
      in4.sin_family = AF_INET;
      in4.sin_port = htons(port);
      inet_pton(AF_INET, address.c_str(), &in4.sin_addr);
    }
    if (bind(listener_, name, size) != 0 || listen(listener_, 4096) != 0) {
      close(listener_);
      throw std::runtime_error("no listener on " + address);
    }
    getsockname(listener_, name, &size);
    port_ = ntohs(v6 ? in6.sin6_port : in4.sin_port);
    acceptor_ = std::thread([this] { accept_all(); });
  }

  ~Receiver() {
    shutdown(listener_, SHUT_RDWR);
    acceptor_.join();
    {
      const std::lock_guard lock(mutex_);
      for (const int fd : open_) shutdown(fd, SHUT_RDWR);
    }
    for (std::thread& thread : threads_) thread.join();
    close(listener_);
  }

  // A whole request, counted.
  std::string take(Peer& peer) {
    std::string request = peer.read_request();
    if (!request.empty()) ++requests;
    return request;
  }

  uint16_t port() const { return port_; }
  std::string url(std::string_view path = "/", std::string_view host = "127.0.0.1") const {
    return "http://" + std::string(host) + ":" + std::to_string(port_) + std::string(path);
  }

  std::atomic<int> connections = 0;
  std::atomic<int> requests = 0;

 private:
  void accept_all() {
    while (true) {
      const int fd = accept4(listener_, nullptr, nullptr, SOCK_CLOEXEC);
      if (fd < 0) return;
      ++connections;
      const std::lock_guard lock(mutex_);
      open_.push_back(fd);
      threads_.emplace_back([this, fd] {
        Peer peer(fd);
        script_(peer, *this);
        const std::lock_guard closing(mutex_);
        open_.remove(fd);
        close(fd);
      });
    }
  }

  Script script_;
  int listener_ = -1;
  uint16_t port_ = 0;
  std::mutex mutex_;
  std::list<int> open_;
  std::list<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace perdure::test
