// What a tool server writes, line by line, at every state of its session: no crash, every bound
// holds, and no answer is given out twice.
#include <cstdlib>
#include <set>

#include "tool/mcp/line_reader.h"
#include "tool/mcp/session.h"

namespace {

using namespace perdure::mcp;

void require(bool holds) {
  if (!holds) std::abort();
}

constexpr size_t kLineMaxBytes = 4096;

class Client {
 public:
  Client() : session_({.client_version = "0", .answers_questions = true}, 1) { session_.open(); }

  void feed(std::string_view bytes) {
    const auto fed = lines_.feed(bytes, [&](std::string_view line) {
      require(line.size() <= kLineMaxBytes);
      session_.receive(line, last_call_);
      react();
    });
    if (!fed) session_.receive_garbage(fed.error().message);
    react();
  }

 private:
  void react() {
    for (const Event& event : session_.take_events()) {
      require(!broken_);
      if (const auto* answered = std::get_if<Answered>(&event)) {
        require(calls_.erase(answered->call) == 1);
      } else if (const auto* asked = std::get_if<Asked>(&event)) {
        // What a schema fills in by itself satisfies it again.
        require(calls_.contains(asked->call));
        const auto filled = complete_answer(asked->question.schema, {});
        if (filled) {
          require(complete_answer(asked->question.schema, *filled).has_value());
          session_.answer(asked->call, *filled);
        } else {
          session_.decline(asked->call);
        }
      } else if (std::holds_alternative<Broken>(event)) {
        broken_ = true;
      }
    }
    if (session_.is_ready() && calls_.size() < 3) {
      last_call_ = session_.call("look", {}, {});
      calls_.insert(last_call_);
    }
    for (const Frame& frame : session_.take_frames()) {
      require(frame.text.find('\n') == std::string::npos);
    }
  }

  Session session_;
  LineReader lines_{kLineMaxBytes};
  std::set<RequestId> calls_;
  RequestId last_call_ = 0;
  bool broken_ = false;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  Client whole;
  whole.feed(bytes);
  // Most inputs say no hello.
  Client greeted;
  greeted.feed(
      "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"protocolVersion\":\"2025-03-26\","
      "\"capabilities\":{\"tools\":{}}}}\n");
  const size_t half = size / 2;
  greeted.feed(bytes.substr(0, half));
  greeted.feed(bytes.substr(half));
  return 0;
}
