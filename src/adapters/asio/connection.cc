#include "adapters/asio/connection.h"

#include <linux/sockios.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <exception>
#include <limits>
#include <utility>

#include "adapters/asio/worker.h"
#include "base/hooks.h"
#include "base/log.h"

namespace perdure::http {
namespace {

constexpr int64_t kNever = std::numeric_limits<int64_t>::max();
// Behind the request in progress. More is read when that is answered; until then a client that
// goes away is not noticed.
constexpr size_t kMaxPendingBytes = 64u << 10;
// A smaller body is copied behind its head: cheaper than a second buffer for the system.
constexpr size_t kInlineBodyBytes = 16u << 10;
// Idle connections keep no more than this.
constexpr size_t kKeptBytes = 64u << 10;
constexpr const char* kTooMuchWaits = "too many answers wait for their readers";

ParserLimits parser_limits(const HttpServerOptions& options) {
  return {options.max_target_bytes, options.max_header_bytes, options.max_header_count,
          options.max_body_bytes};
}

// Answers are small and complete, so nothing is gained by waiting for more; and a client that
// vanished without a word is noticed within two minutes while it only waits.
void tune_socket(int fd) {
  const auto set = [fd](int level, int option, int value) {
    setsockopt(fd, level, option, &value, sizeof value);
  };
  set(IPPROTO_TCP, TCP_NODELAY, 1);
  set(SOL_SOCKET, SO_KEEPALIVE, 1);
  set(IPPROTO_TCP, TCP_KEEPIDLE, 60);
  set(IPPROTO_TCP, TCP_KEEPINTVL, 15);
  set(IPPROTO_TCP, TCP_KEEPCNT, 4);
}

void append_chunk(std::string& out, std::string_view bytes) {
  std::array<char, 20> size;
  const auto end = std::to_chars(size.data(), size.data() + size.size(), bytes.size(), 16).ptr;
  out.reserve(out.size() + bytes.size() + size.size() + 4);  // or it would take twice as much
  out.append(size.data(), end);
  out += "\r\n";
  out += bytes;
  out += "\r\n";
}

}  // namespace

Connection::Connection(std::shared_ptr<Worker> worker, int fd)
    : worker_(std::move(worker)),
      socket_(worker_->reactor, fd),
      parser_(parser_limits(worker_->options)),
      deadline_ms_(Reactor::now_ms() + worker_->options.idle_timeout_ms) {
  tune_socket(fd);
}

Reactor& Connection::reactor() const {
  return worker_->reactor;
}

void Connection::start() {
  wait_for_input();
}

void Connection::start_refused() {
  refuse({503, "too_many_connections",
          "the server has as many connections as it may; close some, or try again later"});
}

void Connection::wait_for_input() {
  if (state_ == State::kReading && input_ended_) close();
  if (state_ == State::kClosed || waits_readable_ || input_ended_) return;
  if (pending_.size() >= kMaxPendingBytes) return;
  waits_readable_ = true;
  socket_.wait_readable(shared_from_this());
}

void Connection::on_readable() {
  waits_readable_ = false;
  if (state_ == State::kClosed) return;
  auto& scratch = worker_->scratch;
  const ssize_t received = ::recv(socket_.fd(), scratch.data(), scratch.size(), 0);
  if (received == 0) {
    on_end_of_input();
    return;
  }
  if (received < 0 && errno != EAGAIN && errno != EINTR) {
    close();
    return;
  }
  if (received > 0) {
    const std::string_view bytes(scratch.data(), static_cast<size_t>(received));
    state_ == State::kReading ? feed(bytes) : keep_pending(bytes);
  }
  wait_for_input();
}

void Connection::keep_pending(std::string_view bytes) {
  if (!close_after_ && state_ != State::kClosed) pending_ += bytes;
}

// A client may close its sending side alone and wait for the answer, so a request that it sent
// completely is still answered; for whoever waits for it, it is gone.
void Connection::on_end_of_input() {
  input_ended_ = true;
  if (state_ == State::kHandling) {
    if (const auto exchange = exchange_.lock()) exchange->disconnected();
  } else if (state_ != State::kFlushing) {
    close();
  }
}

void Connection::feed(std::string_view bytes) {
  feeding_ = true;
  while (!bytes.empty() && state_ == State::kReading) {
    if (parser_.idle()) request_began_ms_ = Reactor::now_ms();
    const bool was_in_body = parser_.in_body();
    bytes.remove_prefix(parser_.feed(bytes));
    if (parser_.in_body() && !was_in_body) begin_body();
    if (state_ != State::kReading) break;
    count_body(parser_.in_body() ? parser_.body_wire_bytes() : 0);
    if (parser_.failed()) refuse(parser_.problem());
    if (parser_.in_body() && worker_->bodies_are_too_many()) {
      refuse({503, "too_many_bodies",
              "the server holds as much of unfinished bodies as it may; send it again later"});
    }
    if (parser_.complete()) dispatch();
  }
  feeding_ = false;
  if (state_ != State::kReading) {
    keep_pending(bytes);
    return;
  }
  if (parser_.awaits_continue()) send_continue();
  if (state_ == State::kReading) arm_reading_deadline(Reactor::now_ms());
}

// Whoever sends it must be known before it may grow.
void Connection::begin_body() {
  window_began_ms_ = Reactor::now_ms();
  window_bytes_ = 0;
  try {
    auto limit = worker_->handler.body_limit(parser_.head());
    if (!limit) return refuse(std::move(limit.error()));
    sender_is_known();
    parser_.limit_body(*limit);
  } catch (const std::exception& error) {
    log(LogLevel::kError, "http.handler_threw", {{"reason", error.what()}});
    refuse({500, "internal", "the server gave no answer; its log may say why"});
  }
}

void Connection::count_body(size_t bytes) {
  worker_->count_bodies(body_bytes_, bytes);
  body_bytes_ = bytes;
}

void Connection::dispatch() {
  state_ = State::kHandling;
  deadline_ms_ = kNever;
  close_after_ = !parser_.keep_alive();
  without_body_ = parser_.is_head();
  changes_nothing_ = without_body_ || parser_.head().method == "GET";
  http_1_0_ = parser_.is_http_1_0();
  auto exchange = std::make_shared<Exchange>(shared_from_this(), worker_->options.max_stream_bytes);
  exchange_ = exchange;
  try {
    worker_->handler.handle(parser_.take(), exchange);
  } catch (const std::exception& error) {
    // The exchange is dropped unanswered, which is a 500.
    log(LogLevel::kError, "http.handler_threw", {{"reason", error.what()}});
  }
  if (input_ended_ && state_ == State::kHandling) exchange->disconnected();
}

// The answer is out; what came behind its request is next.
void Connection::resume() {
  std::string pending;
  pending.swap(pending_);
  deadline_ms_ = Reactor::now_ms() + worker_->options.idle_timeout_ms;
  if (!pending.empty()) feed(pending);
  wait_for_input();
}

void Connection::arm_reading_deadline(int64_t now_ms) {
  const HttpServerOptions& options = worker_->options;
  if (parser_.idle()) {
    deadline_ms_ = now_ms + options.idle_timeout_ms;
  } else if (parser_.in_body()) {
    const uint64_t received = parser_.body_wire_bytes();
    if (received - window_bytes_ >= options.body_window_bytes) {
      window_began_ms_ = now_ms;
      window_bytes_ = received;
    }
    deadline_ms_ = window_began_ms_ + options.body_window_ms;
  } else {
    deadline_ms_ = request_began_ms_ + options.header_timeout_ms;
  }
}

void Connection::check_deadline(int64_t now_ms) {
  if (waits_for_reader()) note_taken(now_ms);
  if (now_ms < deadline_ms_) return;
  if (waits_for_reader()) {
    cut("the client does not read");
  } else if (state_ != State::kReading || parser_.idle()) {
    close();
  } else if (parser_.in_body()) {
    refuse({408, "body_timeout", "the body arrived too slowly; send the request again"});
  } else {
    refuse({408, "header_timeout", "the header did not arrive in time; send the request again"});
  }
}

void Connection::refuse(const api::Problem& problem) {
  refuse(api::to_response(problem));
}

void Connection::refuse(api::Response response) {
  count_body(0);
  close_after_ = true;
  without_body_ = parser_.is_head();
  http_1_0_ = parser_.is_http_1_0();
  answer(std::move(response));
}

void Connection::send_continue() {
  out_ += "HTTP/1.1 100 Continue\r\n\r\n";
  flush();
}

void Connection::write_head(const api::Response& response, Framing framing) {
  close_after_ |= worker_->draining();
  HeadOptions head;
  head.framing = framing;
  head.body_bytes = response.body.size();
  head.close = close_after_;
  head.http_1_0 = http_1_0_;
  head.date = worker_->date();
  append_head(out_, response, head);
}

void Connection::answer(api::Response response) {
  if (state_ == State::kClosed) return;
  const bool is_large = !without_body_ && response.body.size() > kInlineBodyBytes;
  if (is_large && !worker_->has_room(response.body.capacity(), *this)) {
    // What has been done may not be said to be refused.
    if (!changes_nothing_) return cut(kTooMuchWaits);
    response = api::to_response({503, "too_many_answers",
                                 "the server holds as much of answers that wait for their readers "
                                 "as it may; ask again later"});
  }
  exchange_.reset();
  const bool bodiless = is_bodiless(response.status);
  write_head(response, bodiless ? Framing::kClose : Framing::kLength);
  if (!bodiless && !without_body_) {
    if (response.body.size() <= kInlineBodyBytes) {
      out_ += response.body;
    } else {
      body_ = std::move(response.body);
    }
  }
  state_ = State::kFlushing;
  hooks::crash_point("http.before_response");
  flush();
}

bool Connection::start_stream(const api::Response& head) {
  if (state_ == State::kClosed) return false;
  const bool bodiless = is_bodiless(head.status);
  chunked_ = !http_1_0_;
  close_after_ |= !chunked_;
  write_head(head, bodiless || !chunked_ ? Framing::kClose : Framing::kChunked);
  hooks::crash_point("http.before_response");
  if (bodiless || without_body_) {
    exchange_.reset();
    state_ = State::kFlushing;
    flush();
    return false;
  }
  state_ = State::kStreaming;
  if (head.body.empty()) {
    flush();
  } else {
    stream(head.body);
  }
  return state_ == State::kStreaming;
}

void Connection::stream(std::string_view bytes) {
  if (state_ != State::kStreaming) return;
  if (chunked_) {
    append_chunk(out_, bytes);
  } else {
    out_ += bytes;
  }
  flush();
  set_unsent();
  if (waits_for_reader() && !worker_->has_room(0, *this)) cut(kTooMuchWaits);
}

void Connection::end_stream() {
  if (state_ != State::kStreaming) return;
  exchange_.reset();
  if (chunked_) out_ += "0\r\n\r\n";
  state_ = State::kFlushing;
  flush();
}

void Connection::cut_stream() {
  if (state_ == State::kClosed) return;
  log(LogLevel::kInfo, "http.stream_cut", {{"reason", "the client reads too slowly"}});
  close();
}

void Connection::cut(const char* why) {
  if (state_ == State::kClosed) return;
  log(LogLevel::kInfo, "http.answer_cut", {{"reason", why}});
  close();
}

void Connection::abandoned() {
  if (state_ == State::kHandling && !input_ended_) {
    log(LogLevel::kError, "http.unanswered", {});
    answer(api::to_response({500, "internal", "the server gave no answer; its log may say why"}));
  } else {
    close();
  }
}

void Connection::sender_is_known() {
  worker_->forget_stranger(*this);
}

size_t Connection::unsent_bytes() const {
  return out_.size() - out_sent_ + body_.size() - body_sent_;
}

void Connection::set_unsent() {
  if (const auto exchange = exchange_.lock()) exchange->set_unsent(unsent_bytes());
}

// The memory counts, and not what is left of it to send.
void Connection::count_held() {
  const size_t now = unsent_bytes() > 0 ? out_.capacity() + body_.capacity() : 0;
  if (!waits_for_reader() && now > 0) {
    taken_bytes_ = delivered_bytes();
    taken_ms_ = Reactor::now_ms();
    deadline_ms_ = taken_ms_ + worker_->options.write_window_ms;
  }
  worker_->count_held(held_bytes_, now);
  held_bytes_ = now;
}

// That the system takes more shows little: it does so a megabyte at a time.
uint64_t Connection::delivered_bytes() const {
  int queued = 0;
  if (::ioctl(socket_.fd(), SIOCOUTQ, &queued) != 0) queued = 0;
  return sent_bytes_ - static_cast<uint64_t>(queued);
}

void Connection::note_taken(int64_t now_ms) {
  const uint64_t delivered = delivered_bytes();
  if (delivered - taken_bytes_ < worker_->options.write_window_bytes) return;
  taken_bytes_ = delivered;
  taken_ms_ = now_ms;
  deadline_ms_ = now_ms + worker_->options.write_window_ms;
}

void Connection::flush() {
  while (!waits_writable_ && unsent_bytes() > 0) {
    if (!send_some()) break;
  }
  if (state_ == State::kClosed) return;
  count_held();
  if (waits_writable_) return;
  out_.clear();
  body_.clear();
  out_sent_ = body_sent_ = 0;
  if (out_.capacity() > kKeptBytes) out_.shrink_to_fit();
  body_.shrink_to_fit();
  after_flush();
}

// False if nothing more can be sent now.
bool Connection::send_some() {
  std::array<iovec, 2> parts{{{out_.data() + out_sent_, out_.size() - out_sent_},
                              {body_.data() + body_sent_, body_.size() - body_sent_}}};
  msghdr message{};
  message.msg_iov = parts.data();
  message.msg_iovlen = parts.size();
  const ssize_t sent = ::sendmsg(socket_.fd(), &message, MSG_NOSIGNAL);
  if (sent < 0 && errno == EINTR) return true;
  if (sent < 0 && errno != EAGAIN) {
    close();
    return false;
  }
  if (sent < 0) {
    // A reader that is always behind would let the sent part grow without end. Not each time: the
    // rest is moved.
    if (out_sent_ >= out_.size() / 2) out_.erase(0, std::exchange(out_sent_, 0));
    waits_writable_ = true;
    socket_.wait_writable(shared_from_this());
    return false;
  }
  sent_bytes_ += static_cast<uint64_t>(sent);
  const size_t of_out = std::min(static_cast<size_t>(sent), parts[0].iov_len);
  out_sent_ += of_out;
  body_sent_ += static_cast<size_t>(sent) - of_out;
  return true;
}

void Connection::on_writable() {
  waits_writable_ = false;
  if (state_ == State::kClosed) return;
  flush();
  set_unsent();
}

void Connection::after_flush() {
  if (state_ == State::kStreaming) {
    deadline_ms_ = kNever;
  } else if (state_ == State::kReading) {
    arm_reading_deadline(Reactor::now_ms());
  } else if (state_ == State::kFlushing && (close_after_ || worker_->draining())) {
    linger();
  } else if (state_ == State::kFlushing) {
    state_ = State::kReading;
    if (!feeding_) resume();
  }
}

void Connection::linger() {
  if (input_ended_ || worker_->draining()) {
    close();
    return;
  }
  ::shutdown(socket_.fd(), SHUT_WR);
  state_ = State::kLingering;
  close_after_ = true;
  pending_.clear();
  deadline_ms_ = Reactor::now_ms() + worker_->options.linger_timeout_ms;
  wait_for_input();
}

void Connection::drain() {
  if (state_ == State::kLingering) close();
  if (state_ != State::kReading || !parser_.idle()) return;
  // A request may have arrived that nobody has looked at yet: closing would destroy it.
  auto& scratch = worker_->scratch;
  const ssize_t received = ::recv(socket_.fd(), scratch.data(), scratch.size(), 0);
  if (received <= 0) {
    close();
    return;
  }
  feed({scratch.data(), static_cast<size_t>(received)});
  if (state_ == State::kReading && parser_.idle()) close();
  wait_for_input();
}

void Connection::close() {
  if (state_ == State::kClosed) return;
  const auto self = shared_from_this();  // the worker may hold the last reference
  state_ = State::kClosed;
  count_body(0);
  worker_->count_held(std::exchange(held_bytes_, 0), 0);
  if (const auto exchange = exchange_.lock()) exchange->disconnected();
  exchange_.reset();
  socket_.close();
  worker_->remove(*this);
}

}  // namespace perdure::http
