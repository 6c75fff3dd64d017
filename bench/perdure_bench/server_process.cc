#include "server_process.h"

#include <fmt/core.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <vector>

#include "http_load.h"
#include "schema/meter.h"

extern char** environ;

namespace perdure::bench {
namespace {

constexpr std::string_view kWaitTenDays =
    R"({"agent":"waiter","input":{"script":[{"timer":{"id":"t","after_ms":864000000}},)"
    R"({"await":{"timer":"t"}}]}})";

std::string contents(const std::string& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

// What the process says first: "listening on http://127.0.0.1:PORT".
uint16_t announced_port(int fd) {
  std::string text;
  for (char c = 0; text.empty() || text.back() != '\n'; text += c) {
    if (read(fd, &c, 1) != 1) die("the server did not start; it said: " + text);
  }
  return static_cast<uint16_t>(std::stoi(text.substr(text.rfind(':') + 1)));
}

}  // namespace

ServerProcess::ServerProcess(const std::string& binary, const std::string& dir, bool unsafe_no_sync,
                             const std::string& config) {
  std::ofstream(dir + ".toml") << "[agents.waiter]\nplanner = \"script\"\n" << config;
  started_us_ = now_us();
  start(binary, dir, unsafe_no_sync);
  const std::string ready =
      fmt::format("GET /readyz HTTP/1.1\r\nHost: 127.0.0.1:{}\r\n\r\n", port_);
  const int status = ask_once(port_, ready);
  ready_us_ = now_us() - started_us_;
  if (status != 200) die(fmt::format("the server is not ready: {}", status));
  token_ = contents(dir + "/token");
  while (!token_.empty() && token_.back() == '\n') token_.pop_back();
}

void ServerProcess::start(const std::string& binary, const std::string& dir, bool unsafe_no_sync) {
  std::vector<std::string> args = {binary,       "serve", "--config", dir + ".toml",
                                   "--data-dir", dir,     "--listen", "127.0.0.1:0"};
  if (unsafe_no_sync) args.emplace_back("--unsafe-no-sync");
  std::vector<char*> argv;
  for (std::string& arg : args) argv.push_back(arg.data());
  argv.push_back(nullptr);
  int fds[2];
  if (pipe(fds) != 0) die("no pipe");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, fds[1], STDOUT_FILENO);
  posix_spawn_file_actions_addclose(&actions, fds[0]);
  posix_spawn_file_actions_addclose(&actions, fds[1]);
  const int failed = posix_spawn(&pid_, binary.c_str(), &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  close(fds[1]);
  if (failed != 0) die("cannot start " + binary + "; name it with --server");
  port_ = announced_port(fds[0]);
  close(fds[0]);
}

std::string ServerProcess::submission() const {
  return fmt::format(
      "POST /v1/tasks HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: Bearer {}\r\n"
      "Content-Type: application/json\r\nContent-Length: {}\r\n\r\n{}",
      port_, token_, kWaitTenDays.size(), kWaitTenDays);
}

std::string ServerProcess::reading(const std::string& target) const {
  return fmt::format("GET {} HTTP/1.1\r\nHost: 127.0.0.1:{}\r\nAuthorization: Bearer {}\r\n\r\n",
                     target, port_, token_);
}

int64_t ServerProcess::resident_bytes() const {
  std::ifstream file(fmt::format("/proc/{}/status", pid_));
  for (std::string word; file >> word;) {
    int64_t kib = 0;
    if (word == "VmRSS:" && file >> kib) return kib * 1024;
  }
  die("the server has ended");
}

double ServerProcess::cpu_us() const {
  std::string text = contents(fmt::format("/proc/{}/stat", pid_));
  text.erase(0, text.rfind(')') + 2);
  std::vector<std::string> words;
  size_t at = 0;
  while (words.size() < 13) {
    const size_t end = text.find(' ', at);
    words.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  // proc_pid_stat(5): fields 14 and 15, of which the first two stand before the text.
  return (std::stod(words[11]) + std::stod(words[12])) * 1e6 / double(sysconf(_SC_CLK_TCK));
}

void ServerProcess::kill() {
  if (pid_ == 0) return;
  ::kill(pid_, SIGKILL);
  waitpid(pid_, nullptr, 0);
  pid_ = 0;
}

}  // namespace perdure::bench
