#pragma once
// A server whose handler is a function, on a free port.
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>
#include <utility>

#include "adapters/asio/http_server.h"
#include "client.h"

namespace perdure::http {

using ResponderPtr = std::shared_ptr<api::Responder>;
using Handle = std::function<void(api::Request, ResponderPtr)>;

class FunctionHandler final : public api::Handler {
 public:
  explicit FunctionHandler(Handle handle) : handle_(std::move(handle)) {}
  tl::expected<size_t, api::Response> body_limit(const api::Request& head) override {
    return limit ? limit(head) : SIZE_MAX;
  }
  void handle(api::Request request, ResponderPtr responder) override {
    ++calls;
    handle_(std::move(request), std::move(responder));
  }
  std::atomic<int> calls{0};
  // Set before the server starts to be used; else the server's own limit is the only one.
  std::function<tl::expected<size_t, api::Response>(const api::Request&)> limit;

 private:
  Handle handle_;
};

inline api::Response text(std::string body, int status = 200) {
  api::Response response;
  response.status = status;
  response.headers.emplace_back("content-type", "text/plain");
  response.body = std::move(body);
  return response;
}

// Method, target and body, as the handler got them.
inline void echo(api::Request request, ResponderPtr responder) {
  responder->respond(text(request.method + " " + request.target + " " + request.body));
}

struct TestServer {
  explicit TestServer(Handle handle = echo, HttpServerOptions options = {})
      : handler(std::move(handle)), server(std::move(options), handler) {
    const Status started = server.start();
    EXPECT_TRUE(started) << (started ? "" : started.error().message);
  }
  Client connect() { return Client(server.port()); }

  FunctionHandler handler;
  HttpServer server;
};

inline const std::string kGet = "GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n";

inline std::string post(std::string_view body, std::string_view headers = "") {
  return "POST /p HTTP/1.1\r\nHost: x\r\n" + std::string(headers) +
         "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string(body);
}

// False when it did not come about in time.
template <class T>
bool arrives(const std::future<T>& future) {
  return future.wait_for(std::chrono::milliseconds(kPatienceMs)) == std::future_status::ready;
}

// Where a handler leaves what the test then works with.
template <class T>
class Handover {
 public:
  void put(T value) { promise_.set_value(std::move(value)); }
  T get() {
    auto future = promise_.get_future();
    if (!arrives(future)) {
      ADD_FAILURE() << "nothing was handed over";
      return T{};
    }
    return future.get();
  }

 private:
  std::promise<T> promise_;
};

}  // namespace perdure::http
