#pragma once
// One client that watches one task: server-sent events whose ids are journal positions. The journal
// is the truth; what is told live only saves reading it again.
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <variant>

#include "api/context.h"
#include "api/events.h"
#include "engine/journal_reader.h"
#include "engine/payload_reader.h"

namespace perdure::api {

class EventStream : public Listener, public std::enable_shared_from_this<EventStream> {
 public:
  // Sends the events behind `after_seq`, then those that come, up to the terminal one.
  static void start(Context& context, Who who, const TaskId& task, Seq after_seq,
                    std::shared_ptr<Responder> responder);

  EventStream(Context& context, Who who, const TaskId& task, Seq after_seq,
              std::shared_ptr<Responder> responder);
  ~EventStream() override;

  void on_records(std::span<const Record> records) override;
  void on_delta(const StepId& step, uint32_t attempt, std::string_view text) override;
  void on_damaged() override;

 private:
  using News = std::variant<Record, std::string>;  // a string: a provisional message

  void put(std::deque<News> news);
  std::deque<News> take();
  void schedule(int64_t delay_ms);
  void beat();

  // One at a time, on a server thread.
  void run();
  Status go_on();
  Status send_news();
  Status catch_up();
  Status send(Record record);
  void write(std::string_view message);
  void close_if_over();
  void stop();

  Context& context_;
  const std::shared_ptr<RequestCounters> counters_;
  const Who who_;
  const TaskId task_;
  const Seq after_seq_;
  const std::shared_ptr<Responder> responder_;

  std::mutex run_mutex_;  // guards what follows
  std::optional<engine::JournalReader> journal_;
  engine::PayloadReader payloads_;
  EventProjector projector_;
  Seq folded_seq_ = 0;
  bool behind_ = true;     // the journal may hold more than was read
  size_t turn_bytes_ = 0;  // written in this run
  bool over_ = false;
  bool closed_ = false;

  std::mutex news_mutex_;  // guards what follows
  std::deque<News> news_;
  bool overflowed_ = false;
  bool scheduled_ = false;
  bool stopped_ = false;
  uint64_t heartbeat_ = 0;
};

}  // namespace perdure::api
