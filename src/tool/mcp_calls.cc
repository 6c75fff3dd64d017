// What becomes of a call of an MCP server's tool.
#include <fmt/core.h>

#include <algorithm>

#include "base/log.h"
#include "base/text.h"
#include "tool/mcp_outcome.h"
#include "tool/mcp_state.h"
#include "tool/outcome.h"

namespace perdure {
namespace {

constexpr size_t kWaitingMax = 10'000;
constexpr size_t kOpenMax = 64;

Result<json::object> arguments_of(const Send& send) {
  if (send.args.exists() && !send.args.bytes) {
    return fail(Code::kUnavailable, "the arguments were not read from the store");
  }
  TRY_ASSIGN(json::value args, parse_json(send.args.view(), "arguments"));
  if (!args.is_object()) return fail(Code::kInvalid, "arguments: expected an object");
  return std::move(args.get_object());
}

Result<json::object> filled_form(const json::object& schema, std::string_view given) {
  TRY_ASSIGN(json::value filled, parse_json(given, "answer"));
  if (!filled.is_object()) return fail(Code::kInvalid, "the answer is not an object");
  return mcp::complete_answer(schema, std::move(filled.get_object()));
}

}  // namespace

void McpExecutor::State::settle(Done& done, SettleStep settle) {
  outbox_.push_back([done = std::move(done), settle = std::move(settle)] { done(settle); });
}

void McpExecutor::State::settle_waiting(Waiting& waiting, Outcome outcome, FailureClass failure,
                                        std::string why) {
  outside_.timers.cancel(waiting.timer);
  settle(waiting.done, settle_of(waiting.request.send, outcome, failure, std::move(why)));
}

void McpExecutor::State::start(CallRequest request, Done done) {
  auto args = arguments_of(request.send);
  Lock lock(mutex_);
  Waiting waiting{++last_number_, std::move(request), {}, std::move(done), 0};
  if (!args) {
    const bool passing = args.error().code == Code::kUnavailable;
    settle_waiting(waiting, passing ? Outcome::kNotSent : Outcome::kFailed,
                   passing ? FailureClass::kTransient : FailureClass::kInvalid,
                   args.error().message);
  } else if (phase_ == Phase::kClosed || !may_wait(waiting.request.tenant)) {
    settle_waiting(waiting, Outcome::kNotSent, FailureClass::kTransient,
                   phase_ == Phase::kClosed ? "the server is stopping"
                                            : "too many calls of this tenant wait for this server");
  } else {
    waiting.args = std::move(*args);
    waiting.timer = after(config_.start_ms,
                          [number = waiting.number](State& self) { self.wait_timed_out(number); });
    const std::string tenant = waiting.request.tenant;
    waiting_.add(tenant, std::move(waiting));
    react();
  }
  drain(lock);
}

bool McpExecutor::State::may_wait(const std::string& tenant) const {
  return Shares::allows(waiting_.size_of(tenant), waiting_.size(), kWaitingMax);
}

bool McpExecutor::State::may_open(const std::string& tenant) const {
  const auto is_theirs = [&](const auto& open) { return open.second.request.tenant == tenant; };
  const auto has = static_cast<size_t>(std::count_if(open_.begin(), open_.end(), is_theirs));
  return Shares::allows(has, open_.size(), kOpenMax);
}

void McpExecutor::State::pump() {
  while (phase_ == Phase::kUp && !list_is_old_) {
    auto next = waiting_.take_if([this](const std::string& tenant) { return may_open(tenant); });
    if (!next) return;
    Waiting waiting = std::move(*next);
    const auto ruling = tools_.ruling(waiting.request.send.name);
    if (ruling && ruling->refusal.empty()) {
      send(std::move(waiting));
    } else {
      settle_waiting(waiting, Outcome::kFailed, FailureClass::kInvalid,
                     ruling ? ruling->refusal
                            : fmt::format("the server '{}' has no tool '{}'", config_.name,
                                          waiting.request.send.name));
    }
  }
}

void McpExecutor::State::send(Waiting waiting) {
  outside_.timers.cancel(waiting.timer);
  json::object meta{{"perdure/idempotency-key", waiting.request.key},
                    {"perdure/epoch", waiting.request.epoch}};
  const mcp::RequestId id = session_->call(tools_.own_name(waiting.request.send.name),
                                           std::move(waiting.args), std::move(meta));
  Open open;
  open.request = std::move(waiting.request);
  open.done = std::move(waiting.done);
  give_time(id, open);
  open_.emplace(id, std::move(open));
}

void McpExecutor::State::answer(const mcp::Answered& answered) {
  const auto found = open_.find(answered.call);
  if (found == open_.end()) return;
  Open& open = found->second;
  outside_.timers.cancel(open.timer);
  settle(open.done, classify(answered, open.request.send, config_.max_output_bytes, masker_));
  open_.erase(found);
  outbox_.push_back([transport = transport_, call = answered.call] { transport->forget(call); });
}

void McpExecutor::State::lose(mcp::RequestId request, McpLoss loss) {
  const auto found = open_.find(request);
  if (found == open_.end()) return;
  Open& open = found->second;
  outside_.timers.cancel(open.timer);
  SettleStep settled =
      settle_of(open.request.send, loss.outcome, loss.failure, std::move(loss.why));
  settled.retry_after_ms = loss.retry_after_ms;
  settle(open.done, std::move(settled));
  open_.erase(found);
}

void McpExecutor::State::give_time(mcp::RequestId request, Open& open) {
  const int64_t now_us = outside_.clock.monotonic_us();
  open.until_us = now_us + config_.call_ms * 1000;
  open.ends_us = now_us + config_.total_ms * 1000;
  open.timer = after(config_.call_ms, [request](State& self) { self.call_timed_out(request); });
}

// The timer is not touched: however much a server talks, there is one for each call.
void McpExecutor::State::progressed(mcp::RequestId request) {
  const auto found = open_.find(request);
  if (found == open_.end()) return;
  Open& open = found->second;
  open.until_us = std::min(outside_.clock.monotonic_us() + config_.call_ms * 1000, open.ends_us);
}

// The session's ids are never given out again: `request` is this call or none.
void McpExecutor::State::call_timed_out(mcp::RequestId request) {
  const auto found = open_.find(request);
  // While a person is asked no time runs, though a timer may have fired already.
  if (found == open_.end() || found->second.question || !session_) return;
  const int64_t now_us = outside_.clock.monotonic_us();
  if (const int64_t left_us = found->second.until_us - now_us; left_us > 0) {
    found->second.timer =
        after((left_us + 999) / 1000, [request](State& self) { self.call_timed_out(request); });
    return;
  }
  const bool silent = found->second.written && found->second.frames_before == frames_;
  session_->cancel(request, "no answer in time");
  const bool is_over = found->second.until_us == found->second.ends_us;
  lose(request, {.why = is_over ? fmt::format("no answer within {} ms in all", config_.total_ms)
                                : fmt::format("no answer within {} ms", config_.call_ms)});
  outbox_.push_back([transport = transport_, request] { transport->forget(request); });
  // It has said nothing at all since: it hangs, and nobody else waits for it.
  const bool hangs = silent && open_.empty() && !config_.command.empty();
  if (!hangs) return;
  react();  // the cancellation goes first
  if (session_) down(fmt::format("it hangs: nothing came from it for {} ms", config_.call_ms));
}

// The message says who asks: a person must not take it for the agent's own word.
void McpExecutor::State::ask(mcp::Asked& asked) {
  const auto found = open_.find(asked.call);
  if (found == open_.end() || !found->second.request.ask) {
    return session_->refuse(asked.call, "nobody can be asked");
  }
  Open& open = found->second;
  outside_.timers.cancel(open.timer);
  const uint64_t number = ++last_number_;
  open.question = Question{number, 0, asked.question.schema};
  std::string message(beginning(masker_.mask(fmt::format("The tool server '{}' asks: {}",
                                                         config_.name, asked.question.message)),
                                kQuestionMaxBytes));
  json::object question{{"question", message}, {"schema", std::move(asked.question.schema)}};
  auto on_asked = [weak = weak_from_this(), request = asked.call, number](Result<Seq> as) {
    const auto self = weak.lock();
    if (self) self->question_asked(request, number, as);
  };
  outbox_.push_back(
      [ask = open.request.ask, message = std::move(message), text = masker_.mask(to_json(question)),
       on_asked = std::move(on_asked)] { ask(message, Payload::of(text), on_asked); });
}

void McpExecutor::State::question_asked(mcp::RequestId request, uint64_t number,
                                        const Result<Seq>& asked) {
  Lock lock(mutex_);
  const auto found = open_.find(request);
  if (found == open_.end() || !found->second.question) return;
  Question& question = *found->second.question;
  if (question.number != number) return;
  if (asked) {
    question.interrupt_seq = *asked;
    return;
  }
  end_question(request, found->second);
  session_->refuse(request, "nobody is asked: " + asked.error().message);
  react();
  drain(lock);
}

void McpExecutor::State::question_withdrawn(mcp::RequestId request) {
  const auto found = open_.find(request);
  if (found == open_.end() || !found->second.question) return;
  end_question(request, found->second);
  outbox_.push_back([withdraw = found->second.request.withdraw] { withdraw(); });
}

void McpExecutor::State::end_question(mcp::RequestId request, Open& open) {
  open.question.reset();
  open.frames_before = frames_;
  give_time(request, open);
}

// An answer to a question that was withdrawn meanwhile is not one to the next.
void McpExecutor::State::answer_question(const TaskId& task, const StepId& step, Seq interrupt_seq,
                                         Decision decision, const Payload& given) {
  Lock lock(mutex_);
  for (auto& [request, open] : open_) {
    if (open.request.task != task || open.request.send.step != step) continue;
    if (!open.question || open.question->interrupt_seq != interrupt_seq) continue;
    const json::object schema = std::move(open.question->schema);
    end_question(request, open);
    put_answer(request, schema, decision, given);
    react();
    break;
  }
  drain(lock);
}

// A "no" is only what a person said.
void McpExecutor::State::put_answer(mcp::RequestId request, const json::object& schema,
                                    Decision decision, const Payload& given) {
  if (decision == Decision::kReject) return session_->decline(request);
  if (decision != Decision::kRespond) return session_->dismiss(request);
  auto filled = filled_form(schema, given.view());
  if (filled) return session_->answer(request, std::move(*filled));
  log(LogLevel::kWarn, "mcp.answer_refused",
      {{"server", config_.name}, {"why", filled.error().message}});
  session_->refuse(request, "the answer does not fit the question: " + filled.error().message);
}

void McpExecutor::State::wait_timed_out(uint64_t number) {
  auto found = waiting_.remove([&](const Waiting& each) { return each.number == number; });
  if (!found) return;
  settle_waiting(*found, Outcome::kNotSent, FailureClass::kTransient,
                 fmt::format("the server '{}' did not take the call within {} ms{}", config_.name,
                             config_.start_ms, phase_ == Phase::kUp ? "" : ": " + why_down_));
}

void McpExecutor::State::abort(const TaskId& task, const StepId& step) {
  Lock lock(mutex_);
  const auto is_it = [&](const CallRequest& request) {
    return request.task == task && request.send.step == step;
  };
  if (auto waiting = waiting_.remove([&](const Waiting& each) { return is_it(each.request); })) {
    settle_waiting(*waiting, Outcome::kNotSent, FailureClass::kTransient, "cancelled");
    return drain(lock);
  }
  for (auto& [id, open] : open_) {
    if (!is_it(open.request) || !may_run_again(open.request.send.effect)) continue;
    const mcp::RequestId request = id;
    session_->cancel(request, "no longer wanted");
    lose(request, {.why = "cancelled"});
    outbox_.push_back([transport = transport_, request] { transport->forget(request); });
    react();
    return drain(lock);
  }
}

}  // namespace perdure
