#pragma once
// A client that sends exactly the bytes it is told to. Every wait ends: a step that takes longer
// than kPatienceMs fails its test.
#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <string>
#include <string_view>
#include <utility>

namespace perdure::http {

inline constexpr int kPatienceMs = 20'000;

struct Answer {
  int status = 0;  // 0: the connection ended before a whole answer
  std::map<std::string, std::string> headers;
  std::string body;
};

class Client {
 public:
  explicit Client(uint16_t port, int receive_buffer_bytes = 0) {
    fd_ = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (receive_buffer_bytes > 0) {
      setsockopt(fd_, SOL_SOCKET, SO_RCVBUF, &receive_buffer_bytes, sizeof receive_buffer_bytes);
    }
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = ::connect(fd_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  Client(Client&& other) noexcept
      : fd_(std::exchange(other.fd_, -1)),
        connected_(other.connected_),
        received_(std::move(other.received_)) {}
  Client(const Client&) = delete;
  Client& operator=(const Client&) = delete;
  ~Client() { close(); }

  bool connected() const { return connected_; }

  // False when the server has closed.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::send(fd_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<size_t>(sent));
    }
    return true;
  }

  void end_sending() { ::shutdown(fd_, SHUT_WR); }
  void close() {
    if (fd_ >= 0) ::close(std::exchange(fd_, -1));
  }

  // True if bytes or the end are there within so long.
  bool readable(int timeout_ms) const {
    pollfd wanted{fd_, POLLIN, 0};
    return ::poll(&wanted, 1, timeout_ms) == 1;
  }

  // One answer, without "100 Continue"; `to_head` has no body.
  Answer read_answer(bool to_head = false) {
    Answer answer;
    const size_t end = find("\r\n\r\n");
    if (end == std::string::npos) return answer;
    const std::string head = take(end + 4);
    answer.headers = parse_headers(head);
    const int status = std::atoi(head.substr(9, 3).c_str());
    if (!to_head && status >= 200 && status != 204 && !read_body(answer)) return answer;
    answer.status = status;
    return answer;
  }

  // Exactly so many bytes; fewer if the connection ends.
  std::string read_exactly(size_t size) {
    while (received_.size() < size && receive()) {
    }
    return take(std::min(size, received_.size()));
  }

  // Up to and with `mark`; empty if it never comes.
  std::string read_through(std::string_view mark) {
    const size_t at = find(mark);
    return at == std::string::npos ? "" : take(at + mark.size());
  }

  // All until the server closes; `closed` tells whether it did.
  std::string read_to_end() {
    while (receive()) {
    }
    return take(received_.size());
  }
  bool closed() const { return closed_; }
  // True if the server closes without another byte.
  bool at_end() { return read_to_end().empty() && closed_; }

  static std::map<std::string, std::string> parse_headers(std::string_view head) {
    std::map<std::string, std::string> headers;
    for (size_t at = head.find("\r\n"); at != std::string_view::npos;) {
      const size_t begin = at + 2;
      at = head.find("\r\n", begin);
      const std::string_view line = head.substr(begin, at - begin);
      const size_t colon = line.find(": ");
      if (colon != std::string_view::npos)
        headers.emplace(line.substr(0, colon), line.substr(colon + 2));
    }
    return headers;
  }

 private:
  bool receive() {
    if (closed_ || !readable(kPatienceMs)) return false;
    char bytes[1 << 16];
    const ssize_t received = ::recv(fd_, bytes, sizeof bytes, 0);
    if (received <= 0) {
      closed_ = true;
      return false;
    }
    received_.append(bytes, static_cast<size_t>(received));
    return true;
  }

  size_t find(std::string_view mark) {
    for (;;) {
      const size_t at = received_.find(mark);
      if (at != std::string::npos || !receive()) return at;
    }
  }

  std::string take(size_t size) {
    std::string taken = received_.substr(0, size);
    received_.erase(0, size);
    return taken;
  }

  bool read_body(Answer& answer) {
    if (const auto length = answer.headers.find("content-length"); length != answer.headers.end()) {
      const size_t size = std::strtoull(length->second.c_str(), nullptr, 10);
      answer.body = read_exactly(size);
      return answer.body.size() == size;
    }
    if (!answer.headers.contains("transfer-encoding")) {
      answer.body = read_to_end();
      return true;
    }
    for (;;) {
      const std::string line = read_through("\r\n");
      if (line.empty()) return false;
      const size_t size = std::strtoull(line.c_str(), nullptr, 16);
      const std::string data = read_exactly(size + 2);
      if (data.size() != size + 2) return false;
      if (size == 0) return true;
      answer.body += data.substr(0, size);
    }
  }

  int fd_ = -1;
  bool connected_ = false;
  bool closed_ = false;
  std::string received_;
};

}  // namespace perdure::http
