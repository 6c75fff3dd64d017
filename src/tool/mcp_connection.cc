// How an McpExecutor reaches its server: the life of a connection, and the next one.
#include <fmt/core.h>

#include <algorithm>
#include <chrono>

#include "base/log.h"
#include "tool/mcp_http.h"
#include "tool/mcp_state.h"
#include "tool/mcp_stdio.h"

namespace perdure {
namespace {

constexpr int64_t kBackoffMs = 500;
constexpr int64_t kBackoffMaxMs = 60'000;
constexpr int64_t kHealthyUs = 10'000'000;  // up for that long: an end is no failure to begin
constexpr int kFailuresUntilKnown = 3;      // of a command that was never seen to work
constexpr int64_t kCloseMs = 3000;

}  // namespace

Status McpExecutor::State::load() {
  auto text = outside_.pins.load(config_.name);
  if (!text && text.error().code == Code::kNotFound) return {};
  if (!text) return tl::unexpected(text.error());
  // What was kept before a value was known as a secret.
  const Status read = tools_.read_pins(masker_.mask(std::move(*text)));
  if (read) return {};
  return fail(Code::kCorrupt, fmt::format("mcp.{}: {}", config_.name, read.error().message));
}

void McpExecutor::State::open() {
  if (config_.unsafe_same_user) {
    log(LogLevel::kWarn, "tool.unsafe_same_user",
        {{"server", config_.name},
         {"why", "it runs without a sandbox and can read the server's token"}});
  }
  Lock lock(mutex_);
  if (phase_ != Phase::kDown) return;
  connect();
  drain(lock);
}

Status McpExecutor::State::wait_until_known() {
  Lock lock(mutex_);
  const bool starts = !config_.command.empty();
  changed_.wait_for(lock, std::chrono::milliseconds(config_.start_ms), [&] {
    return tools_.has_pins() || (starts && failures_ >= kFailuresUntilKnown);
  });
  if (tools_.has_pins()) return {};
  return fail(Code::kUnavailable,
              fmt::format("mcp.{}: it was never reached, so its tools are not known: {}",
                          config_.name, why_down_));
}

void McpExecutor::State::close() {
  Lock lock(mutex_);
  if (phase_ == Phase::kClosed) return;
  phase_ = Phase::kClosed;
  ++life_;
  if (transport_) {
    outbox_.push_back([transport = std::move(transport_)] { transport->close(); });
  }
  drain(lock);
  changed_.wait_for(lock, std::chrono::milliseconds(kCloseMs), [&] { return transports_ == 0; });
}

void McpExecutor::State::connect() {
  phase_ = Phase::kOpening;
  const uint64_t life = ++life_;
  mcp::SessionOptions options;
  options.client_version = outside_.version;
  options.answers_questions = true;
  session_.emplace(options, next_id_);
  after(config_.start_ms, [life](State& self) {
    if (self.life_ == life && self.phase_ == Phase::kOpening) {
      self.down(fmt::format("it did not say what it offers within {} ms", self.config_.start_ms));
    }
  });
  ++transports_;
  outbox_.push_back([self = shared_from_this(), life] {
    auto made = self->make_transport(life);
    if (!made) {
      {
        const Lock lock(self->mutex_);
        --self->transports_;
      }
      return self->with(life, [&] { self->down(made.error().message); });
    }
    bool in_time = false;
    self->with(life, [&] {
      in_time = true;
      self->transport_ = *made;
      self->session_->open();
    });
    if (!in_time) (*made)->close();
  });
}

Result<std::shared_ptr<McpTransport>> McpExecutor::State::make_transport(uint64_t life) {
  if (!config_.url.empty()) {
    return open_mcp_http(config_, outside_.secrets, outside_.http, outside_.timers, outside_.clock,
                         sink(life));
  }
  return start_mcp_process(config_, outside_.secrets, outside_.hidden, outside_.processes,
                           outside_.timers, sink(life));
}

McpSink McpExecutor::State::sink(uint64_t life) {
  const std::weak_ptr<State> weak = weak_from_this();
  McpSink sink;
  sink.on_frame = [weak, life](std::string_view frame, mcp::RequestId within) {
    if (const auto self = weak.lock()) {
      self->with(life, [&] {
        ++self->frames_;
        self->session_->receive(frame, within);
      });
    }
  };
  sink.on_garbage = [weak, life](const std::string& what) {
    if (const auto self = weak.lock()) {
      self->with(life, [&] { self->session_->receive_garbage(what); });
    }
  };
  sink.on_lost = [weak, life](mcp::RequestId request, McpLoss loss) {
    if (const auto self = weak.lock()) {
      self->with(life, [&] {
        self->session_->lose(request, loss.why, loss.outcome == Outcome::kInDoubt);
        self->lose(request, std::move(loss));
      });
    }
  };
  sink.on_closed = [weak, life](std::string why) {
    const auto self = weak.lock();
    if (!self) return;
    self->with(life, [&] { self->down(std::move(why)); });
    const std::lock_guard lock(self->mutex_);
    --self->transports_;
    self->changed_.notify_all();
  };
  return sink;
}

void McpExecutor::State::down(std::string why) {
  const bool began = phase_ == Phase::kUp;
  const int64_t now_us = outside_.clock.monotonic_us();
  failures_ = began && now_us - up_since_us_ > kHealthyUs ? 1 : failures_ + 1;
  log(LogLevel::kWarn, "mcp.down", {{"server", config_.name}, {"why", why}});
  why_down_ = std::move(why);
  phase_ = Phase::kDown;
  ++life_;
  if (session_) next_id_ = session_->next_id();
  session_.reset();
  if (transport_) {
    outbox_.push_back([transport = std::move(transport_)] { transport->close(); });
  }
  tools_.set_offered(std::nullopt);
  list_is_old_ = list_again_ = is_stale_ = false;
  while (!open_.empty()) {
    const bool written = open_.begin()->second.written;
    lose(open_.begin()->first, written ? McpLoss{.why = "the server went away: " + why_down_}
                                       : McpLoss{Outcome::kNotSent, FailureClass::kTransient,
                                                 "the server went away: " + why_down_, 0});
  }
  // A server that cannot be had does not keep them waiting; one that had begun may be had again.
  while (!began && !waiting_.empty()) {
    Waiting waiting = waiting_.take();
    settle_waiting(waiting, Outcome::kNotSent, FailureClass::kTransient,
                   fmt::format("the server '{}' is not there: {}", config_.name, why_down_));
  }
  changed_.notify_all();
  connect_later();
}

void McpExecutor::State::connect_later() {
  const int64_t delay_ms =
      std::min(kBackoffMaxMs, kBackoffMs << std::min(std::max(failures_ - 1, 0), 10));
  after(delay_ms, [life = life_](State& self) {
    if (self.life_ == life && self.phase_ == Phase::kDown) self.connect();
  });
}

void McpExecutor::State::react() {
  while (session_) {
    auto events = session_->take_events();
    if (events.empty()) break;
    for (mcp::Event& event : events) take(event);
  }
  if (!session_) return;
  const bool renews = is_stale_ && open_.empty();
  if (!renews) pump();
  for (mcp::Frame& frame : session_->take_frames()) put(std::move(frame));
  if (renews) down("what was given up may still ask here: it is begun anew");
}

void McpExecutor::State::put(mcp::Frame frame) {
  outbox_.push_back([self = shared_from_this(), life = life_, transport = transport_,
                     frame = std::move(frame)]() mutable {
    const mcp::RequestId request = frame.request;
    int64_t not_after_ms = 0;
    std::string tenant;
    {
      const Lock lock(self->mutex_);
      // A notification still goes out before the connection is closed: a cancellation, say.
      if (request != 0 && life != self->life_) return;
      if (const auto call = self->open_.find(request); call != self->open_.end()) {
        not_after_ms = call->second.request.send.not_after_ms;
        tenant = call->second.request.tenant;
        call->second.written = true;
        call->second.frames_before = self->frames_;
      }
    }
    const bool late = not_after_ms != 0 && self->outside_.clock.unix_ms() >= not_after_ms;
    if (!late && transport->send(std::move(frame), not_after_ms, tenant)) return;
    self->with(life, [&] {
      const std::string why = late ? "too late: the time until which it might be sent has passed"
                                   : "the server does not read what it is sent";
      self->session_->lose(request, why, false);
      self->lose(request, {Outcome::kNotSent, FailureClass::kTransient, why, 0});
    });
  });
}

void McpExecutor::State::take(mcp::Event& event) {
  if (!session_) return;
  if (auto* ready = std::get_if<mcp::Ready>(&event)) {
    version_ = masker_.mask(fmt::format("{} (MCP {})", ready->server, ready->revision));
    outbox_.push_back(
        [transport = transport_, revision = ready->revision] { transport->agreed(revision); });
  } else if (auto* listed = std::get_if<mcp::Listed>(&event)) {
    take_list(std::move(*listed));
  } else if (std::holds_alternative<mcp::ListChanged>(event)) {
    list_again();
  } else if (auto* answered = std::get_if<mcp::Answered>(&event)) {
    answer(*answered);
  } else if (auto* progress = std::get_if<mcp::Progressed>(&event)) {
    progressed(progress->call);
  } else if (auto* asked = std::get_if<mcp::Asked>(&event)) {
    ask(*asked);
  } else if (auto* withdrawn = std::get_if<mcp::Withdrawn>(&event)) {
    question_withdrawn(withdrawn->call);
  } else if (auto* not_asked = std::get_if<mcp::NotAsked>(&event)) {
    log(LogLevel::kWarn, "mcp.not_asked", {{"server", config_.name}, {"why", not_asked->why}});
    is_stale_ = is_stale_ || not_asked->of_given_up;
  } else if (auto* logged = std::get_if<mcp::Logged>(&event)) {
    log(LogLevel::kDebug, "mcp.says",
        {{"server", config_.name}, {"text", masker_.mask_cut(std::move(logged->text))}});
  } else if (auto* strange = std::get_if<mcp::Strange>(&event)) {
    log(LogLevel::kWarn, "mcp.strange",
        {{"server", config_.name}, {"what", masker_.mask_cut(std::move(strange->what))}});
  } else if (auto* broken = std::get_if<mcp::Broken>(&event)) {
    down(masker_.mask_cut(std::move(broken->why)));
  }
}

}  // namespace perdure
