#include "receivers.h"

#include <fmt/core.h>

#include "world.h"

namespace perdure::sim {
namespace {

Answer busy(Dice& dice) {
  Answer answer{429, {}, "later"};
  if (dice.chance(500)) {
    answer.headers.emplace_back("retry-after", std::to_string(dice.between(1, 30)));
  }
  return answer;
}

}  // namespace

std::optional<Answer> Receivers::handle(const Sent& sent) {
  if (const auto answer = gateway()) return answer;
  if (knows_keys(sent)) {
    const auto known = keys_.find(sent.key);
    if (known != keys_.end()) {
      const int64_t age_ms = (world_.now_us() - known->second.first_us) / 1000;
      if (age_ms < sent.horizon_ms) return dedup(sent, known->second);
      keys_.erase(known);  // forgotten, as the contract says
    }
  }
  if (auto answer = trouble(sent)) return answer->status == 0 ? std::nullopt : answer;
  apply(sent, false);
  return Answer{200, {}, fmt::format(R"({{"done":{}}})", ++count_)};
}

// What stands before the receiver knows no keys: it refuses one request and not the next.
std::optional<Answer> Receivers::gateway() {
  Dice& dice = world_.dice();
  if (!dice.chance(world_.knobs().receiver_refuses / 4)) return std::nullopt;
  return Answer{dice.one_of({401, 403, 429, 503}), {}, "the gateway says no"};
}

std::optional<Answer> Receivers::dedup(const Sent& sent, Known& known) {
  if (known.refused != 0) return Answer{known.refused, {}, "no, as before"};
  if (!known.done) return Answer{409, {{"retry-after", "1"}}, "in progress"};
  world_.oracle().deduplicated[{sent.task, sent.step}].push_back(sent.key);
  world_.probe(Probe::kDeduplicated);
  return Answer{200, {}, R"({"done":"before"})"};
}

// Anything but a plain answer; status 0 is none at all.
std::optional<Answer> Receivers::trouble(const Sent& sent) {
  Dice& dice = world_.dice();
  const Knobs& knobs = world_.knobs();
  if (dice.chance(knobs.receiver_busy)) return busy(dice);
  if (dice.chance(knobs.receiver_refuses)) {
    return refuse(sent, dice.one_of({400, 404, 422}));
  }
  if (dice.chance(knobs.receiver_breaks)) {
    if (dice.chance(500)) apply(sent, false);
    return Answer{dice.one_of({500, 502, 503, 408}), {}, "broken"};
  }
  if (dice.chance(knobs.receiver_slow)) {
    if (knows_keys(sent)) keys_[sent.key] = {world_.now_us(), false, 0};
    const int64_t delay_us = dice.between(100'000, 5'000'000);
    world_.after(delay_us, "applies late", [this, sent] { apply(sent, true); });
    return Answer{0, {}, {}};
  }
  return std::nullopt;
}

// Its own refusal stands for every request with the key: the core relies on it when an earlier one
// of them may still be on its way.
Answer Receivers::refuse(const Sent& sent, int status) {
  if (knows_keys(sent)) keys_[sent.key] = {world_.now_us(), true, status};
  if (!knows_keys(sent) && world_.dice().chance(200)) status = 409;
  return Answer{status, {}, "no"};
}

void Receivers::apply(const Sent& sent, bool late) {
  if (knows_keys(sent)) {
    Known& known = keys_[sent.key];
    if (known.first_us == 0) known.first_us = world_.now_us();
    known.done = true;
  }
  if (late) world_.probe(Probe::kAppliedLate);
  world_.applied(sent);
}

}  // namespace perdure::sim
