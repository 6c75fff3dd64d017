#include "http_load.h"

#include <arpa/inet.h>
#include <fmt/core.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <random>

#include "schema/meter.h"

namespace perdure::bench {
namespace {

int connect_to(uint16_t port) {
  const int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  const int yes = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof yes);
  if (fd >= 0 && connect(fd, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0) return fd;
  if (fd >= 0) close(fd);
  return -1;
}

// The whole size of the answer that `text` begins with; 0: it is not complete.
size_t answer_size(const std::string& text) {
  const size_t head = text.find("\r\n\r\n");
  if (head == std::string::npos) return 0;
  size_t at = text.find("ontent-length: ");
  if (at == std::string::npos || at > head) at = text.find("ontent-Length: ");
  if (at == std::string::npos || at > head) die("an answer without a length");
  const size_t size = head + 4 + std::strtoull(text.c_str() + at + 15, nullptr, 10);
  return text.size() >= size ? size : 0;
}

int status_of(const std::string& answer) {
  return answer.size() < 12 ? 0 : std::atoi(answer.c_str() + 9);
}

class Client {
 public:
  Client(uint16_t port, const Load& load)
      : load_(load), run_(std::random_device{}()), epoll_(epoll_create1(EPOLL_CLOEXEC)) {
    connections_.resize(static_cast<size_t>(load.connections));
    for (Connection& connection : connections_) {
      connection.fd = connect_to(port);
      if (connection.fd < 0) die("the server takes no connection");
      epoll_event event{};
      event.events = EPOLLIN;
      event.data.ptr = &connection;
      epoll_ctl(epoll_, EPOLL_CTL_ADD, connection.fd, &event);
    }
  }

  LoadResult run() {
    const double start_us = now_us();
    end_us_ = start_us + load_.seconds * 1e6;
    for (Connection& connection : connections_) send(connection);
    while (under_way_ > 0) {
      epoll_event events[64];
      const int ready = epoll_wait(epoll_, events, 64, -1);
      for (int i = 0; i < ready; ++i) read_some(*static_cast<Connection*>(events[i].data.ptr));
    }
    result_.elapsed_us = now_us() - start_us;
    return std::move(result_);
  }

 private:
  struct Connection {
    int fd = -1;
    double sent_us = 0;
    std::string answer;
  };

  void send(Connection& connection) {
    if (sent_ >= load_.requests_max || now_us() >= end_us_) return;
    ++sent_;
    ++under_way_;
    const std::string* request = &load_.request;
    if (load_.keys) {
      keyed_ = load_.request;
      keyed_.insert(keyed_.find("\r\n") + 2,
                    fmt::format("Idempotency-Key: {:08x}-{:012}\r\n", run_, sent_));
      request = &keyed_;
    }
    connection.sent_us = now_us();
    if (write(connection.fd, request->data(), request->size()) != ssize_t(request->size())) {
      die("the server closed a connection");
    }
  }

  void read_some(Connection& connection) {
    char bytes[16384];
    const ssize_t count = read(connection.fd, bytes, sizeof bytes);
    if (count <= 0) die("the server closed a connection");
    connection.answer.append(bytes, static_cast<size_t>(count));
    if (answer_size(connection.answer) == 0) return;
    result_.latencies_us.push_back(static_cast<float>(now_us() - connection.sent_us));
    if (status_of(connection.answer) != load_.wanted_status) ++result_.wrong;
    connection.answer.clear();
    --under_way_;
    send(connection);
  }

  const Load& load_;
  const uint32_t run_;
  int epoll_;
  std::vector<Connection> connections_;
  double end_us_ = 0;
  int64_t sent_ = 0;
  int64_t under_way_ = 0;
  std::string keyed_;
  LoadResult result_;
};

bool write_all(int fd, const void* data, size_t size) {
  for (const char* at = static_cast<const char*>(data); size > 0;) {
    const ssize_t written = write(fd, at, size);
    if (written <= 0) return false;
    at += written;
    size -= static_cast<size_t>(written);
  }
  return true;
}

void read_all(int fd, void* data, size_t size) {
  for (char* at = static_cast<char*>(data); size > 0;) {
    const ssize_t count = read(fd, at, size);
    if (count <= 0) die("the client process ended early");
    at += count;
    size -= static_cast<size_t>(count);
  }
}

[[noreturn]] void work(uint16_t port, const Load& load, int tell_fd) {
  const LoadResult result = Client(port, load).run();
  const uint64_t count = result.latencies_us.size();
  const bool told = write_all(tell_fd, &result.elapsed_us, sizeof result.elapsed_us) &&
                    write_all(tell_fd, &result.wrong, sizeof result.wrong) &&
                    write_all(tell_fd, &count, sizeof count) &&
                    write_all(tell_fd, result.latencies_us.data(), count * sizeof(float));
  _exit(told ? 0 : 1);
}

}  // namespace

LoadResult run_load(uint16_t port, const Load& load) {
  int fds[2];
  if (pipe(fds) != 0) die("no pipe");
  std::fflush(nullptr);
  const pid_t child = fork();
  if (child < 0) die("cannot fork");
  if (child == 0) {
    close(fds[0]);
    work(port, load, fds[1]);
  }
  close(fds[1]);
  LoadResult result;
  uint64_t count = 0;
  read_all(fds[0], &result.elapsed_us, sizeof result.elapsed_us);
  read_all(fds[0], &result.wrong, sizeof result.wrong);
  read_all(fds[0], &count, sizeof count);
  result.latencies_us.resize(count);
  read_all(fds[0], result.latencies_us.data(), count * sizeof(float));
  close(fds[0]);
  waitpid(child, nullptr, 0);
  return result;
}

int ask_once(uint16_t port, const std::string& request) {
  const int fd = connect_to(port);
  if (fd < 0) return 0;
  std::string answer;
  if (write_all(fd, request.data(), request.size())) {
    char bytes[4096];
    ssize_t count = 0;
    while (answer_size(answer) == 0 && (count = read(fd, bytes, sizeof bytes)) > 0) {
      answer.append(bytes, static_cast<size_t>(count));
    }
  }
  close(fd);
  return status_of(answer);
}

}  // namespace perdure::bench
