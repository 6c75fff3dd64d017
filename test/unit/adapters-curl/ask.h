#pragma once
#include <chrono>
#include <future>

#include "adapters/curl/curl_client.h"
#include "fakes/set_clock.h"

namespace perdure::test {

inline HttpRequest post(std::string url, std::string body = R"({"a":1})") {
  HttpRequest request;
  request.url = std::move(url);
  request.body = std::move(body);
  request.headers = {{"Content-Type", "application/json"}};
  request.allow_private = true;
  request.timeouts = {
      .connect_ms = 10'000, .first_byte_ms = 20'000, .gap_ms = 20'000, .total_ms = 60'000};
  return request;
}

inline std::future<HttpResult> begin(HttpClient& client, HttpRequest request,
                                     HttpClient::CallId* id = nullptr) {
  auto promise = std::make_shared<std::promise<HttpResult>>();
  auto future = promise->get_future();
  HttpCallbacks callbacks;
  callbacks.on_done = [promise](HttpResult result) { promise->set_value(std::move(result)); };
  const auto call = client.send(std::move(request), std::move(callbacks));
  if (id != nullptr) *id = call;
  return future;
}

inline HttpResult ask(HttpClient& client, HttpRequest request) {
  return begin(client, std::move(request)).get();
}

}  // namespace perdure::test
