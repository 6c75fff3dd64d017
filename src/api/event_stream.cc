#include "api/event_stream.h"

#include <fmt/core.h>

#include "api/problem.h"
#include "base/hooks.h"
#include "base/json_text.h"
#include "base/log.h"

namespace perdure::api {
namespace {

// What is kept of a task that is faster than this thread; beyond, the journal is read instead.
constexpr size_t kNewsMax = 256;
// History is written in portions, so that a reader of ordinary speed is not taken for a slow one.
constexpr size_t kPortionBytes = 256u << 10;
constexpr int64_t kPortionPauseMs = 5;
constexpr std::string_view kHeartbeat = ": keep-alive\n\n";

Response stream_head() {
  Response head;
  head.headers = {{"content-type", "text/event-stream"},
                  {"cache-control", "no-store"},
                  {"x-accel-buffering", "no"}};
  return head;
}

}  // namespace

EventStream::EventStream(Context& context, Who who, const TaskId& task, Seq after_seq,
                         std::shared_ptr<Responder> responder)
    : context_(context),
      counters_(context.counters),
      who_(std::move(who)),
      task_(task),
      after_seq_(after_seq),
      responder_(std::move(responder)),
      journal_(std::in_place, context.parts.reader, task, 1, &context.parts.engine),
      payloads_(context.payloads(who_->tenant, task)),
      projector_(task) {}

EventStream::~EventStream() {
  counters_->streams.give_back(who_->tenant);
}

void EventStream::start(Context& context, Who who, const TaskId& task, Seq after_seq,
                        std::shared_ptr<Responder> responder) {
  auto stream =
      std::make_shared<EventStream>(context, std::move(who), task, after_seq, std::move(responder));
  stream->responder_->start_stream(stream_head());
  context.live.subscribe(task, stream);
  stream->responder_->on_disconnect([weak = std::weak_ptr(stream)] {
    if (const auto alive = weak.lock()) alive->stop();
  });
  stream->beat();
  stream->run();
}

void EventStream::on_records(std::span<const Record> records) {
  put({records.begin(), records.end()});
}

void EventStream::on_delta(const StepId& step, uint32_t attempt, std::string_view text) {
  json::object data{{"step", step}, {"attempt", attempt}, {"text", text}};
  put({fmt::format("event: model.delta\ndata: {{\"type\":\"model.delta\",\"data\":{}}}\n\n",
                   json_text(data))});
}

void EventStream::on_damaged() {
  schedule(0);
}

void EventStream::put(std::deque<News> news) {
  {
    const std::lock_guard lock(news_mutex_);
    if (stopped_) return;
    if (overflowed_ || news_.size() + news.size() > kNewsMax) {
      overflowed_ = true;
      news_.clear();
    } else {
      for (News& one : news) news_.push_back(std::move(one));
    }
  }
  schedule(0);
}

std::deque<EventStream::News> EventStream::take() {
  const std::lock_guard lock(news_mutex_);
  behind_ = behind_ || overflowed_;
  overflowed_ = false;
  std::deque<News> taken;
  taken.swap(news_);
  return taken;
}

void EventStream::schedule(int64_t delay_ms) {
  const std::lock_guard lock(news_mutex_);
  if (scheduled_ || stopped_) return;
  scheduled_ = true;
  auto work = [self = shared_from_this()] { self->run(); };
  if (delay_ms == 0) return context_.later(who_->tenant, std::move(work));
  context_.after(who_->tenant, delay_ms, std::move(work));
}

void EventStream::beat() {
  const std::lock_guard lock(news_mutex_);
  if (stopped_) return;
  heartbeat_ =
      context_.after(who_->tenant, context_.parts.limits.heartbeat_ms, [weak = weak_from_this()] {
        const auto alive = weak.lock();
        if (!alive) return;
        {
          const std::lock_guard run_lock(alive->run_mutex_);
          // A key that was removed sees no more than one heartbeat long.
          alive->over_ |=
              !alive->context_.access.is_good(*alive->who_, alive->context_.parts.clock.unix_ms());
          if (!alive->over_) alive->write(kHeartbeat);
          alive->close_if_over();
        }
        alive->beat();
      });
}

void EventStream::run() {
  const std::lock_guard lock(run_mutex_);
  if (over_) return;
  turn_bytes_ = 0;
  {
    const std::lock_guard news_lock(news_mutex_);
    scheduled_ = false;
  }
  if (const Status sent = go_on(); !sent) {
    log(LogLevel::kError, "stream.broken", {{"why", sent.error().message}});
    write(fmt::format("event: problem\ndata: {}\n\n", problem(sent.error()).body));
    over_ = true;
  }
  close_if_over();
}

Status EventStream::go_on() {
  const auto damage = context_.parts.engine.quarantine().find(task_);
  if (damage && !damage->is_ended()) return tl::unexpected(engine::error_of(*damage));
  if (behind_) TRY_STATUS(catch_up());
  if (over_ || behind_) return {};
  return send_news();
}

void EventStream::close_if_over() {
  if (!over_ || closed_) return;
  closed_ = true;
  stop();
  responder_->end_stream();
}

// From the journal, until there is no more of it or this run has done its part.
Status EventStream::catch_up() {
  while (!over_) {
    if (turn_bytes_ >= kPortionBytes) {
      schedule(kPortionPauseMs);
      return {};
    }
    TRY_ASSIGN(Record * record, journal_->next());
    if (record == nullptr) {
      behind_ = false;
      return {};
    }
    TRY_STATUS(send(std::move(*record)));
  }
  return {};
}

// What was told live, unless it does not join: then the journal is read.
Status EventStream::send_news() {
  std::deque<News> news = take();
  for (News& one : news) {
    if (over_) return {};
    if (behind_) break;
    if (const auto* message = std::get_if<std::string>(&one)) {
      write(*message);
      continue;
    }
    Record& record = std::get<Record>(one);
    if (record.seq <= folded_seq_) continue;
    if (record.seq != folded_seq_ + 1) {
      behind_ = true;
      break;
    }
    TRY_STATUS(send(std::move(record)));
  }
  if (behind_) {
    journal_.emplace(context_.parts.reader, task_, folded_seq_ + 1, &context_.parts.engine);
    schedule(0);
  }
  return {};
}

Status EventStream::send(Record record) {
  projector_.fold(record);
  folded_seq_ = record.seq;
  const bool ended = std::holds_alternative<TaskEnded>(record.body);
  if (record.seq > after_seq_) {
    if (Payload* payload = payload_of(record.body)) {
      TRY_STATUS(payloads_.complete(*payload, kInlinePayloadMaxBytes));
    }
    const bool lost = hooks::planted(hooks::Bug::kEventLost) && record.seq % 5 == 0;
    const auto event = projector_.project(record);
    if (event && !lost) write(event_message(*event));
  }
  over_ = over_ || ended;
  return {};
}

void EventStream::write(std::string_view message) {
  turn_bytes_ += message.size();
  if (!responder_->write(message)) over_ = true;
}

void EventStream::stop() {
  uint64_t heartbeat = 0;
  {
    const std::lock_guard lock(news_mutex_);
    if (stopped_) return;
    stopped_ = true;
    news_.clear();
    heartbeat = heartbeat_;
  }
  context_.parts.timers.cancel(heartbeat);
  context_.live.unsubscribe(task_, this);
}

}  // namespace perdure::api
