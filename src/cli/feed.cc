#include "cli/feed.h"

#include <algorithm>
#include <condition_variable>
#include <mutex>

#include "cli/words.h"

namespace perdure::cli {
namespace {

constexpr JsonLimits kEventLimits{.depth = 200, .size_bytes = 16u << 20};
constexpr int64_t kPauseMs = 250;
constexpr int64_t kPauseMaxMs = 5'000;
constexpr int64_t kStandsMs = 1'000;  // a connection that says nothing, and does not end either
// What is kept while nobody reads, as when an editor is open; beyond, the connection is given up
// and the rest is read again later.
constexpr size_t kWaitingMax = 64u << 20;

uint64_t number_of(const json::value& seq) {
  return seq.is_number() ? static_cast<uint64_t>(seq.to_number<double>()) : 0;
}

}  // namespace

// Written by the client's thread, read by ours. The last thing that thread does with it, under the
// lock, is to set `result`.
struct Feed::Connection {
  std::mutex mutex;
  std::condition_variable changed;
  std::string bytes;
  int status = 0;
  std::optional<HttpResult> result;
  bool is_too_much = false;
};

Feed::Feed(Client& client, Attention& attention, std::string task)
    : client_(client), attention_(attention), task_(std::move(task)) {}

Feed::~Feed() {
  if (!connection_) return;
  client_.cancel(call_);
  std::unique_lock lock(connection_->mutex);
  connection_->changed.wait(lock, [this] { return connection_->result.has_value(); });
}

void Feed::connect(int64_t now_ms) {
  due_ms_ = 0;
  connected_ms_ = now_ms;
  events_.clear();
  parser_.emplace([this](const SseEvent& event) {
    auto value = parse_json(event.data, "event", kEventLimits);
    if (!value || !value->is_object() || !is_new(value->get_object())) return;
    events_.push_back(std::move(value->as_object()));
  });
  connection_ = std::make_shared<Connection>();
  HttpCallbacks callbacks;
  callbacks.on_body = [connection = connection_, this](int status, std::string_view bytes) {
    const std::lock_guard lock(connection->mutex);
    connection->status = status;
    if (connection->bytes.size() + bytes.size() > kWaitingMax) connection->is_too_much = true;
    if (!connection->is_too_much) connection->bytes += bytes;
    attention_.wake();
  };
  callbacks.on_done = [connection = connection_, this](HttpResult result) {
    const std::lock_guard lock(connection->mutex);
    connection->result = std::move(result);
    attention_.wake();
    connection->changed.notify_all();
  };
  const auto call = client_.stream(task_, last_seq_, std::move(callbacks));
  if (call) {
    call_ = *call;
    return;
  }
  const std::lock_guard lock(connection_->mutex);
  connection_->result.emplace();
  connection_->result->detail = call.error().message;
}

News Feed::lost(Error error, int64_t now_ms) {
  is_lost_ = true;
  pause_ms_ = std::clamp(pause_ms_ * 2, kPauseMs, kPauseMaxMs);
  due_ms_ = now_ms + pause_ms_;
  return {News::Kind::kLost, {}, std::move(error)};
}

// The connection's end, if it has come and everything before it was read.
std::optional<News> Feed::ended(int64_t now_ms) {
  std::optional<HttpResult> result;
  std::string body;
  {
    const std::lock_guard lock(connection_->mutex);
    if (connection_->is_too_much) client_.cancel(call_);
    if (!connection_->result) return std::nullopt;
    result = std::move(connection_->result);
    body = std::move(connection_->bytes);
  }
  connection_.reset();
  if (result->end == HttpResult::End::kComplete && result->status == 204) {
    is_over_ = true;
    return News{};
  }
  Error error = client_.stream_error(*result, body);
  if (error.code == Code::kUnavailable) return lost(std::move(error), now_ms);
  is_over_ = true;
  return News{News::Kind::kRefused, {}, std::move(error)};
}

// What has come of the stream since.
Status Feed::read() {
  std::string bytes;
  {
    const std::lock_guard lock(connection_->mutex);
    if (connection_->status != 200) return {};
    bytes.swap(connection_->bytes);
  }
  return parser_->feed(bytes);
}

// Provisional ones are not numbered.
bool Feed::is_new(const json::object& event) const {
  const json::value* seq = event.if_contains("seq");
  return seq == nullptr || number_of(*seq) > last_seq_;
}

// A server that takes the connection and ends it at once is no better than none.
bool Feed::is_of_use(int64_t now_ms) const {
  if (!events_.empty()) return true;
  if (now_ms - connected_ms_ < kStandsMs) return false;
  const std::lock_guard lock(connection_->mutex);
  return connection_->status == 200 && !connection_->result;
}

std::optional<News> Feed::told() {
  while (!events_.empty()) {
    json::object event = std::move(events_.front());
    events_.pop_front();
    const json::value* seq = event.if_contains("seq");
    if (seq == nullptr && event.contains("detail")) {
      is_over_ = true;  // the server cannot go on, and the next connection would be told the same
      return News{News::Kind::kRefused, {}, client_.problem_error(event)};
    }
    if (seq == nullptr) return News{News::Kind::kDelta, std::move(event), {}};
    if (!is_new(event)) continue;
    last_seq_ = number_of(*seq);
    const std::string type = text_at(event, "type");
    is_over_ = type == "task.completed" || type == "task.failed" || type == "task.cancelled";
    return News{News::Kind::kEvent, std::move(event), {}};
  }
  return std::nullopt;
}

std::optional<News> Feed::next(int64_t now_ms) {
  for (;;) {
    if (is_over_) return std::nullopt;
    if (auto news = told()) return news;
    if (!connection_) {
      if (due_ms_ > now_ms) return std::nullopt;
      connect(now_ms);
    }
    if (const Status read_well = read(); !read_well) {
      is_over_ = true;
      return News{News::Kind::kRefused, {}, read_well.error()};
    }
    if (pause_ms_ > 0 && is_of_use(now_ms)) {
      pause_ms_ = 0;
      is_lost_ = false;
      return News{News::Kind::kBack, {}, {}};
    }
    if (!events_.empty()) continue;
    const bool was_lost = is_lost_;
    auto news = ended(now_ms);
    // That it is still away is no news.
    if (news && news->kind == News::Kind::kLost && was_lost) continue;
    return news;
  }
}

}  // namespace perdure::cli
