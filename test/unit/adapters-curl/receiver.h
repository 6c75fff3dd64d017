#pragma once
// Receivers for the tests: small blocking servers that count what reaches them.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <atomic>
#include <condition_variable>
#include <functional>
#include <list>
#include <mutex>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <thread>

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
    name_.sin6_family = v6 ? AF_INET6 : AF_INET;
    name_.sin6_port = htons(port);
    // Both kinds of name begin with family and port; sockaddr_in goes on with its address.
    auto* v4_address = &reinterpret_cast<sockaddr_in*>(&name_)->sin_addr;
    inet_pton(name_.sin6_family, address.c_str(),
              v6 ? static_cast<void*>(&name_.sin6_addr) : static_cast<void*>(v4_address));
    socklen_t size = name_size();
    if (bind(listener_, name(), size) != 0 || listen(listener_, 4096) != 0) {
      close(listener_);
      throw std::runtime_error("no listener on " + address);
    }
    getsockname(listener_, name(), &size);
    port_ = ntohs(name_.sin6_port);
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

  // Connections so far, also those that wait to be accepted: one more is made, and waited for.
  int connections() {
    const int fd = socket(name_.sin6_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (connect(fd, name(), name_size()) != 0) throw std::runtime_error("the listener is gone");
    sockaddr_in6 mine{};
    socklen_t size = sizeof mine;
    getsockname(fd, reinterpret_cast<sockaddr*>(&mine), &size);
    close(fd);
    std::unique_lock lock(mutex_);
    accepted_changed_.wait(lock, [&] { return accepted_.contains(mine.sin6_port); });
    ++own_;
    return static_cast<int>(accepted_count_) - own_;
  }

  uint16_t port() const { return port_; }
  std::string url(std::string_view path = "/", std::string_view host = "127.0.0.1") const {
    return "http://" + std::string(host) + ":" + std::to_string(port_) + std::string(path);
  }

  std::atomic<int> requests = 0;

 private:
  void accept_all() {
    while (true) {
      sockaddr_in6 peer_name{};
      socklen_t size = sizeof peer_name;
      const int fd =
          accept4(listener_, reinterpret_cast<sockaddr*>(&peer_name), &size, SOCK_CLOEXEC);
      if (fd < 0) return;
      const std::lock_guard lock(mutex_);
      ++accepted_count_;
      accepted_.insert(peer_name.sin6_port);
      accepted_changed_.notify_all();
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

  sockaddr* name() { return reinterpret_cast<sockaddr*>(&name_); }
  socklen_t name_size() const {
    return name_.sin6_family == AF_INET6 ? sizeof(sockaddr_in6) : sizeof(sockaddr_in);
  }

  Script script_;
  int listener_ = -1;
  sockaddr_in6 name_{};  // large enough for a sockaddr_in
  uint16_t port_ = 0;
  std::mutex mutex_;
  std::condition_variable accepted_changed_;
  std::set<in_port_t> accepted_;  // ports of the peers
  size_t accepted_count_ = 0;
  int own_ = 0;
  std::list<int> open_;
  std::list<std::thread> threads_;
  std::thread acceptor_;
};

}  // namespace perdure::test
