#pragma once
// How frames reach an MCP server and come back. A transport belongs to one session and ends with
// it; it never sends a frame twice.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "journal/terms.h"
#include "tool/mcp/session.h"

namespace perdure {

// Why a request has no answer.
struct McpLoss {
  Outcome outcome = Outcome::kInDoubt;  // kFailed, kNotSent, kDeferred or kInDoubt
  FailureClass failure = FailureClass::kAmbiguous;
  std::string why;
  int64_t retry_after_ms = 0;
};

// On any thread, without locks of the transport; also during `send`.
struct McpSink {
  std::function<void(std::string_view frame, mcp::RequestId within)> on_frame;
  // Bytes that are no frame.
  std::function<void(std::string what)> on_garbage;
  // Nothing will answer this request any more. Also said of requests that were answered.
  std::function<void(mcp::RequestId request, McpLoss loss)> on_lost;
  // The session is over; once, and nothing follows.
  std::function<void(std::string why)> on_closed;
};

class McpTransport {
 public:
  virtual ~McpTransport() = default;
  // All thread-safe. False: it cannot be sent now, and never was (stdin is full or closed).
  // `not_after_ms`, `tenant`: see HttpRequest.
  virtual bool send(mcp::Frame frame, int64_t not_after_ms, const std::string& tenant) = 0;
  // The revision that the server chose: before the frames that follow.
  virtual void agreed(const std::string& revision) = 0;
  // This request was answered, or no answer is wanted any more.
  virtual void forget(mcp::RequestId request) = 0;
  // Ends it in order; on_closed still comes.
  virtual void close() = 0;
};

}  // namespace perdure
