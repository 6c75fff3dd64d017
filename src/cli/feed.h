#pragma once
// The events of one task as they come, over as many connections as it takes: when one ends before
// the task does, the next goes on behind the last event that was seen, so that none comes twice.
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>

#include "base/sse.h"
#include "cli/attention.h"
#include "cli/client.h"

namespace perdure::cli {

struct News {
  enum class Kind {
    kEvent,    // recorded
    kDelta,    // provisional
    kLost,     // the server went away; it is asked again until it is there
    kBack,     // it is there again
    kRefused,  // it says no: there will be no more
    kOver,     // the task has ended: there will be no more
  };
  Kind kind = Kind::kOver;
  json::object event;
  Error error;
};

class Feed {
 public:
  // Both outlive it.
  Feed(Client& client, Attention& attention, std::string task);
  ~Feed();
  Feed(const Feed&) = delete;
  Feed& operator=(const Feed&) = delete;

  // What there is now; nothing: wait for the attention, at most until `due_ms`.
  std::optional<News> next(int64_t now_ms);
  // When a new connection is to be tried; 0: one stands.
  int64_t due_ms() const { return due_ms_; }
  // The next connection is tried at once, and soon again if it fails.
  void hurry() { due_ms_ = due_ms_ > 0 ? 1 : 0; }

 private:
  struct Connection;

  void connect(int64_t now_ms);
  Status read();
  bool is_new(const json::object& event) const;
  bool is_of_use(int64_t now_ms) const;
  std::optional<News> told();
  std::optional<News> ended(int64_t now_ms);
  News lost(Error error, int64_t now_ms);

  Client& client_;
  Attention& attention_;
  const std::string task_;
  std::optional<SseParser> parser_;
  std::deque<json::object> events_;  // read, not told yet
  std::shared_ptr<Connection> connection_;
  HttpClient::CallId call_ = 0;
  uint64_t last_seq_ = 0;
  int64_t due_ms_ = 1;
  int64_t connected_ms_ = 0;
  int64_t pause_ms_ = 0;  // above 0 until a connection is of use
  bool is_lost_ = false;
  bool is_over_ = false;
};

}  // namespace perdure::cli
