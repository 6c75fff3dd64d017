#pragma once
// A model inside this process that calls the tool "write" in every answer.
#include <fmt/core.h>

#include <string>

#include "engine_world.h"

namespace perdure::bench {

class CallingModel : public HttpClient {
 public:
  enum class Then { kIsDone, kIsSilent };
  // The last of `answers` has no call, or none is given behind it.
  CallingModel(int answers, size_t text_bytes, Then then = Then::kIsDone)
      : answers_(answers), text_bytes_(text_bytes), then_(then) {}

  CallId send(HttpRequest, HttpCallbacks callbacks) override {
    ++asked_;
    if (then_ == Then::kIsSilent && asked_ > answers_) return static_cast<CallId>(asked_);
    const bool last = then_ == Then::kIsDone && asked_ == answers_;
    const std::string delta =
        last ? R"("content":"done")"
             : fmt::format(
                   R"("content":"{}","tool_calls":[{{"index":0,"id":"c{}","type":)"
                   R"("function","function":{{"name":"write","arguments":"{{\"n\":{}}}"}}}}])",
                   noise_.take(text_bytes_), asked_, asked_);
    const std::string body = fmt::format(
        R"(data: {{"id":"r{}","choices":[{{"index":0,"delta":{{{}}},"finish_reason":"{}"}}],)"
        R"("usage":{{"prompt_tokens":100,"completion_tokens":10,"total_tokens":110}}}})"
        "\n\ndata: [DONE]\n\n",
        asked_, delta, last ? "stop" : "tool_calls");
    callbacks.on_body(200, body);
    HttpResult result;
    result.end = HttpResult::End::kComplete;
    result.status = 200;
    callbacks.on_done(std::move(result));
    return static_cast<CallId>(asked_);
  }
  void cancel(CallId) override {}
  bool is_silent() const { return asked_ > answers_; }

 private:
  const int answers_;
  const size_t text_bytes_;
  const Then then_;
  int asked_ = 0;
  Noise noise_;
};

// One agent, "worker", that has that model and that tool.
runtime::Setup calling_setup();

}  // namespace perdure::bench
