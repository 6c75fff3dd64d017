#pragma once
// The real server as a process of its own.
#include <sys/types.h>

#include <cstdint>
#include <string>

namespace perdure::bench {

class ServerProcess {
 public:
  // Starts `binary serve` over the data directory `dir`, with an agent "waiter" that runs scripts,
  // and returns when it answers /readyz.
  // `config`: what else stands in its file.
  ServerProcess(const std::string& binary, const std::string& dir, bool unsafe_no_sync,
                const std::string& config = {});
  ~ServerProcess() { kill(); }
  ServerProcess(const ServerProcess&) = delete;
  ServerProcess& operator=(const ServerProcess&) = delete;

  uint16_t port() const { return port_; }
  // POST /v1/tasks for a task that waits ten days; up to its empty line, without a key.
  std::string submission() const;
  // GET of this target.
  std::string reading(const std::string& target) const;
  // From the start of the process to the first 200 of /readyz.
  double ready_us() const { return ready_us_; }
  double started_us() const { return started_us_; }
  int64_t resident_bytes() const;
  double cpu_us() const;
  void kill();  // SIGKILL

 private:
  void start(const std::string& binary, const std::string& dir, bool unsafe_no_sync);

  pid_t pid_ = 0;
  uint16_t port_ = 0;
  std::string token_;
  double started_us_ = 0;
  double ready_us_ = 0;
};

}  // namespace perdure::bench
