#include "network.h"

#include <algorithm>

#include "world.h"

namespace perdure::sim {

using End = HttpResult::End;

namespace {

HttpResult without_answer(End end, std::string detail) {
  HttpResult result;
  result.end = end;
  result.detail = std::move(detail);
  return result;
}

std::string header_of(const HttpRequest& request, std::string_view name) {
  for (const auto& [header, value] : request.headers) {
    if (header == name) return value;
  }
  return {};
}

bool says_not_executed(const HttpResult& result, EffectClass effect) {
  if (result.end == End::kNotSent) return true;
  if (result.end != End::kComplete) return false;
  if (result.status == 409) return effect != EffectClass::kIdempotent;
  return result.status == 429 ||
         (result.status >= 400 && result.status < 500 && result.status != 408);
}

}  // namespace

void SimHttp::begin(const CallRequest& request) {
  Sent sent;
  sent.task = request.task;
  sent.step = request.send.step;
  sent.attempt = request.send.attempt;
  sent.group = request.send.group;
  sent.effect = request.send.effect;
  sent.tool = request.send.name;
  sent.args_hash = request.send.args.hash;
  if (request.send.args.size_bytes < 1'000) sent.args = request.send.args.view();
  sent.not_after_ms = request.send.not_after_ms;
  starting_ = std::move(sent);
}

HttpClient::CallId SimHttp::send(HttpRequest request, HttpCallbacks callbacks) {
  if (world_.is_doomed()) return 0;
  auto call = std::make_shared<Network::Call>();
  call->request = std::move(request);
  call->callbacks = std::move(callbacks);
  call->process = world_.process();
  if (starting_) {
    Sent sent = *starting_;
    sent.key = header_of(call->request, "Idempotency-Key");
    if (sent.key.empty()) sent.key = key_in_arguments(call->request.body);
    sent.horizon_ms = world_.horizon_of(sent.tool);
    auto& sends = world_.oracle().sends[{sent.task, sent.step}];
    sends.push_back(std::move(sent));
    call->sent = {Position{sends.back().task, sends.back().step}, sends.size() - 1};
  }
  const CallId id = ++count_;
  calls_[id] = call;
  const int64_t delay_us = world_.dice().between(0, world_.knobs().delay_us_max);
  world_.in_process(delay_us, "departs", [this, call] { network_.depart(call); });
  return id;
}

void SimHttp::cancel(CallId id) {
  const auto found = calls_.find(id);
  if (found == calls_.end()) return;
  const auto call = found->second.lock();
  if (!call || call->ended) return;
  const End end = call->written ? End::kCancelled : End::kNotSent;
  world_.in_process(0, "cancelled",
                    [this, call, end] { network_.end(call, without_answer(end, "cancelled")); });
}

Sent* Network::sent_of(const Call& call) {
  if (!call.sent) return nullptr;
  return &world_.oracle().sends.at(call.sent->first)[call.sent->second];
}

void Network::depart(const CallPtr& call) {
  if (call->ended) return;
  Dice& dice = world_.dice();
  const Knobs& knobs = world_.knobs();
  const int64_t not_after_ms = call->request.not_after_ms;
  if (not_after_ms != 0 && world_.clock().unix_ms() >= not_after_ms) {
    return end(call, without_answer(End::kNotSent, "too late"));
  }
  if (dice.chance(knobs.not_sent)) {
    return end(call, without_answer(End::kNotSent, "connection refused"));
  }
  call->written = true;
  if (Sent* sent = sent_of(*call)) {
    sent->written = true;
    world_.written(*sent);
  } else if (call->request.method == "POST") {
    world_.model_request_written(call->request.body);
  }
  const int64_t total_us = call->request.timeouts.total_ms * 1000;
  const bool cut = dice.chance(500);
  const int64_t patience_us = cut ? dice.between(1, total_us) : total_us;
  const bool late = call->sent && dice.chance(knobs.late_request);
  const bool lost = !late && dice.chance(knobs.lost_request);
  if (late) {
    world_.after(total_us + dice.between(0, total_us), "arrives late",
                 [this, call] { arrive(call); });
  } else if (!lost) {
    world_.after(dice.between(0, std::min(knobs.delay_us_max, total_us / 4)), "arrives",
                 [this, call] { arrive(call); });
  }
  const bool silent = lost || late;
  world_.after(silent ? patience_us : total_us, "gives up", [this, call, silent, cut] {
    end(call, without_answer(silent && cut ? End::kCut : End::kTimedOut, "no answer"));
  });
}

void Network::arrive_in_background(const CallPtr& call) {
  BackgroundHost::Line line;
  line.piece = [this, call](std::string bytes) {
    if (call->ended || !world_.is_alive(call->process)) return;
    if (call->callbacks.on_body) call->callbacks.on_body(200, bytes);
  };
  line.end = [this, call](Answer answered, std::string told_of) {
    if (call->ended || !world_.is_alive(call->process)) return;
    call->tells = std::move(told_of);
    if (answered.status == 200 && call->callbacks.on_body) {
      call->callbacks.on_body(200, answered.body);
      answered.body.clear();
    }
    answer(call, std::move(answered));
  };
  const HttpRequest& request = call->request;
  if (request.method == "POST") return background_.create(request.body, std::move(line));
  background_.fetch(request.url, std::move(line));
}

void Network::arrive(const CallPtr& call) {
  if (call->request.url.starts_with(kBackgroundUrl)) return arrive_in_background(call);
  const Sent* sent = sent_of(*call);
  const std::optional<Answer> answered =
      sent != nullptr ? receivers_.handle(Sent(*sent)) : model_.handle(call->request.body);
  Dice& dice = world_.dice();
  const Knobs& knobs = world_.knobs();
  if (!answered || dice.chance(knobs.lost_answer)) {
    if (answered) world_.probe(Probe::kAppliedUnanswered);
    if (answered && sent != nullptr && dice.chance(knobs.late_answer)) {
      const int64_t later_us = call->request.timeouts.total_ms * 1000 + dice.between(0, 30'000'000);
      world_.after(later_us, "another way",
                   [this, call, answer = *answered] { answer_another_way(*call, answer); });
    }
    if (dice.chance(500)) {
      world_.after(dice.between(0, knobs.delay_us_max), "cut",
                   [this, call] { end(call, without_answer(End::kCut, "connection reset")); });
    }
    return;
  }
  const int64_t delay_us =
      dice.between(0, std::min(knobs.delay_us_max, call->request.timeouts.total_ms * 250));
  world_.after(delay_us, "answers",
               [this, call, answer = *answered] { this->answer(call, answer); });
}

void Network::answer(const CallPtr& call, Answer answer) {
  HttpResult result;
  result.end = End::kComplete;
  // Half a body, and the connection is gone.
  if (answer.status < 0) {
    result.end = End::kCut;
    answer.status = -answer.status;
  }
  result.status = answer.status;
  result.headers = std::move(answer.headers);
  result.body = std::move(answer.body);
  const bool repeats = call->sent && world_.dice().chance(world_.knobs().late_answer / 4);
  if (repeats && result.end == End::kComplete) {
    world_.after(world_.dice().between(0, 5'000'000), "answers again",
                 [this, call, again = Answer{result.status, {}, result.body}] {
                   answer_another_way(*call, again);
                 });
  }
  end(call, std::move(result));
}

// A worker that reports by itself, long after its request was given up: nobody waits for it.
void Network::answer_another_way(const Call& call, const Answer& answer) {
  const Sent* sent = sent_of(call);
  SettleStep settle;
  settle.step = sent->step;
  settle.attempt = sent->attempt;
  if (answer.status == 200) {
    settle.outcome = Outcome::kSucceeded;
    settle.result = Payload::of(answer.body);
  } else if (answer.status == 429) {
    settle.outcome = Outcome::kDeferred;
    settle.failure = FailureClass::kRateLimit;
  } else {
    return;
  }
  world_.late_answer(sent->task, std::move(settle));
}

void Network::end(const CallPtr& call, HttpResult result) {
  if (call->ended) return;
  call->ended = true;
  const HttpCallbacks callbacks = std::move(call->callbacks);
  call->callbacks = {};
  if (!world_.is_alive(call->process)) return;  // nobody is there
  if (!call->tells.empty()) world_.oracle().background.at(call->tells).told = true;
  if (Sent* sent = sent_of(*call)) {
    const bool definite = says_not_executed(result, sent->effect);
    sent->fate = definite ? Sent::Fate::kNotExecuted : Sent::Fate::kAnswered;
    if (!definite && (result.end != End::kComplete || result.status >= 500 ||
                      result.status == 408 || result.status == 409)) {
      sent->fate = Sent::Fate::kOpen;
    }
  }
  world_.trace("ends", {}, static_cast<uint64_t>(result.end) * 1000 + result.status, [&] {
    return call->request.url + " " +
           (result.detail.empty() ? std::to_string(result.status) : result.detail);
  });
  callbacks.on_done(std::move(result));
}

}  // namespace perdure::sim
