// What the HTTP server alone costs: every request gets the same small answer.
//   bench_http SECONDS [inline|posted] [THREADS]
// prints its port, serves for so long, then prints requests and CPU time for each. Load it with
//   wrk -t1 -c64 -d5s -s bench/http/post.lua http://127.0.0.1:PORT/v1/tasks
// "posted" answers from another thread, as the engine does.
#include <fmt/core.h>
#include <sys/resource.h>

#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <mutex>
#include <string_view>
#include <thread>

#include "adapters/asio/http_server.h"

namespace perdure {
namespace {

constexpr size_t kBodyLimit = 1 << 20;  // bytes; the load sends small ones

api::Response small_answer() {
  api::Response response;
  response.status = 202;
  response.headers = {{"content-type", "application/json"},
                      {"location", "/v1/tasks/task_01j0000000000000000000000"}};
  response.body = R"({"id":"task_01j0000000000000000000000","status":"pending"})";
  return response;
}

class Inline final : public api::Handler {
 public:
  tl::expected<size_t, api::Response> body_limit(const api::Request&) override {
    return kBodyLimit;
  }
  void handle(api::Request, std::shared_ptr<api::Responder> responder) override {
    ++requests;
    responder->respond(small_answer());
  }
  std::atomic<uint64_t> requests{0};
};

class Posted final : public api::Handler {
 public:
  Posted() : thread_([this] { run(); }) {}
  ~Posted() override {
    {
      const std::lock_guard lock(mutex_);
      ended_ = true;
    }
    added_.notify_one();
    thread_.join();
  }
  tl::expected<size_t, api::Response> body_limit(const api::Request&) override {
    return kBodyLimit;
  }
  void handle(api::Request, std::shared_ptr<api::Responder> responder) override {
    ++requests;
    const std::lock_guard lock(mutex_);
    waiting_.push_back(std::move(responder));
    if (waiting_.size() == 1) added_.notify_one();
  }
  std::atomic<uint64_t> requests{0};

 private:
  void run() {
    std::deque<std::shared_ptr<api::Responder>> batch;
    for (;;) {
      {
        std::unique_lock lock(mutex_);
        added_.wait(lock, [this] { return ended_ || !waiting_.empty(); });
        if (waiting_.empty()) return;
        batch.swap(waiting_);
      }
      for (const auto& responder : batch) responder->respond(small_answer());
      batch.clear();
    }
  }

  std::mutex mutex_;
  std::condition_variable added_;
  std::deque<std::shared_ptr<api::Responder>> waiting_;
  bool ended_ = false;
  std::thread thread_;
};

double cpu_us() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto us = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) * 1e6 + static_cast<double>(time.tv_usec);
  };
  return us(usage.ru_utime) + us(usage.ru_stime);
}

template <class Handler>
int serve(int seconds, int threads) {
  Handler handler;
  HttpServerOptions options;
  options.threads = threads;
  HttpServer server(options, handler);
  if (const auto started = server.start(); !started) {
    fmt::print(stderr, "{}\n", started.error().message);
    return 1;
  }
  fmt::print("{}\n", server.port());
  std::fflush(stdout);
  const double before_us = cpu_us();
  std::this_thread::sleep_for(std::chrono::seconds(seconds));
  const uint64_t requests = handler.requests;
  fmt::print("requests {}, CPU {:.2f} us each\n", requests,
             requests == 0 ? 0 : (cpu_us() - before_us) / static_cast<double>(requests));
  server.stop(0);
  return 0;
}

}  // namespace
}  // namespace perdure

int main(int argc, char** argv) {
  if (argc < 2) {
    fmt::print(stderr, "bench_http SECONDS [inline|posted] [THREADS]\n");
    return 2;
  }
  const int seconds = std::atoi(argv[1]);
  const bool posted = argc > 2 && std::string_view(argv[2]) == "posted";
  const int threads = argc > 3 ? std::atoi(argv[3]) : 1;
  return posted ? perdure::serve<perdure::Posted>(seconds, threads)
                : perdure::serve<perdure::Inline>(seconds, threads);
}
