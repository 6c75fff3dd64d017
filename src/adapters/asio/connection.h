#pragma once
// One client: reads requests, one at a time, and writes their answers in the same order. All on
// its worker's thread.
#include <cstdint>
#include <list>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "adapters/asio/exchange.h"
#include "adapters/asio/reactor.h"
#include "adapters/asio/request_parser.h"
#include "adapters/asio/response_head.h"
#include "api/problem.h"

namespace perdure::http {

class Worker;

class Connection final : public Waiter, public std::enable_shared_from_this<Connection> {
 public:
  // Owns `fd`, a connected non-blocking socket.
  Connection(std::shared_ptr<Worker> worker, int fd);

  void start();
  // Answers 503 and closes.
  void start_refused();
  // Closes if `now_ms` is beyond what the client had to keep.
  void check_deadline(int64_t now_ms);
  // No further requests: closes now if idle, or behind the answer in flight.
  void drain();
  void close();
  // Closes, and tells the log why.
  void cut(const char* why);
  // An answer, or some of a stream, waits for the client to read.
  bool waits_for_reader() const { return held_bytes_ > 0; }
  size_t held_bytes() const { return held_bytes_; }
  // When the client had last taken as much as it must in a window.
  int64_t taken_ms() const { return taken_ms_; }

  // From the exchange in progress.
  void answer(api::Response response);
  // False if the answer is complete with its head (HEAD, 204).
  bool start_stream(const api::Response& head);
  void stream(std::string_view bytes);
  void end_stream();
  void cut_stream();
  void abandoned();
  void sender_is_known();

  Reactor& reactor() const;
  void on_readable() override;
  void on_writable() override;

  // The worker's: its place among the open connections, and among those of strangers.
  size_t index = 0;
  std::optional<std::list<Connection*>::iterator> stranger;

 private:
  enum class State {
    kReading,    // a request, or the wait for one
    kHandling,   // the handler has it
    kStreaming,  // the head of its stream is given
    kFlushing,   // the answer is complete; some of it waits for the client to read
    kLingering,  // our side is shut; what the client still sends is dropped, so that no reset
                 // destroys the answer on its way (RFC 9112, section 9.6)
    kClosed,
  };

  void feed(std::string_view bytes);
  void begin_body();
  void count_body(size_t bytes);
  void dispatch();
  void resume();
  void wait_for_input();
  void keep_pending(std::string_view bytes);
  void on_end_of_input();
  void refuse(const api::Problem& problem);
  void refuse(api::Response response);
  void send_continue();
  void write_head(const api::Response& response, Framing framing);
  void flush();
  bool send_some();
  void after_flush();
  void linger();
  void arm_reading_deadline(int64_t now_ms);
  void set_unsent();
  size_t unsent_bytes() const;
  void count_held();
  uint64_t delivered_bytes() const;
  void note_taken(int64_t now_ms);

  const std::shared_ptr<Worker> worker_;
  Descriptor socket_;
  RequestParser parser_;
  State state_ = State::kReading;
  int64_t deadline_ms_;
  int64_t request_began_ms_ = 0;
  int64_t window_began_ms_ = 0;  // of the body: when it had come so far
  uint64_t window_bytes_ = 0;
  size_t body_bytes_ = 0;  // as the worker counts them

  std::weak_ptr<Exchange> exchange_;
  std::string pending_;  // arrived behind the request in progress
  std::string out_;      // heads, small bodies, chunks
  size_t out_sent_ = 0;
  std::string body_;  // a large body, behind `out_`
  size_t body_sent_ = 0;
  size_t held_bytes_ = 0;     // of both, as the worker counts them; 0 when nothing waits
  uint64_t sent_bytes_ = 0;   // given to the system, since the beginning
  uint64_t taken_bytes_ = 0;  // of these delivered to the client at `taken_ms_`
  int64_t taken_ms_ = 0;

  bool feeding_ = false;
  bool waits_readable_ = false;
  bool waits_writable_ = false;
  bool input_ended_ = false;
  bool close_after_ = false;  // behind the answer in progress
  bool without_body_ = false;
  bool changes_nothing_ = false;  // the request in progress
  bool http_1_0_ = false;
  bool chunked_ = false;
};

}  // namespace perdure::http
