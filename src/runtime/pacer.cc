#include "runtime/pacer.h"

#include <algorithm>
#include <cmath>
#include <vector>

namespace perdure::runtime {
namespace {

constexpr double kGapMinMs = 10;  // faster than that is not held back
constexpr double kGapMaxMs = 60'000;
constexpr int64_t kUnknownMs = 1'000;  // where nothing was answered
// Slower with every refusal; and when there was none for a while, faster with every answer.
constexpr double kSlower = 1.25;
constexpr double kFaster = 0.95;
constexpr int64_t kKeptMs = 10'000;
constexpr int64_t kForgottenMs = 60'000;  // without a refusal and with nobody waiting
constexpr size_t kCounted = 64;
constexpr int64_t kComeAgainMaxMs = 600'000;

// As fast as calls were answered in as long a time as the provider now wants to be left alone.
double gap_of(const std::deque<int64_t>& answered, int64_t now, int64_t wait_ms) {
  const int64_t from = now - std::max(wait_ms, kUnknownMs);
  const auto first = std::lower_bound(answered.begin(), answered.end(), from);
  const auto count = answered.end() - first;
  if (count == 0) return kUnknownMs;
  const bool all = static_cast<size_t>(count) == kCounted;
  return static_cast<double>(now - (all ? *first : from)) / static_cast<double>(count);
}

}  // namespace

struct Pacer::State : std::enable_shared_from_this<State> {
  State(Clock& c, Timers* t) : clock(c), timers(t) {}

  int64_t now_ms() const { return clock.monotonic_us() / 1000; }

  // With the mutex:
  static void forget_old(Limit& limit, int64_t now);
  static int64_t wait_of(const Limit& limit, const std::string& tenant, int64_t now);
  static int64_t tell(Limit& limit, const std::string& tenant, int64_t now);
  static void send_one(Limit& limit, int64_t now) {
    limit.next_ms = now + static_cast<int64_t>(limit.gap_ms);
  }
  void arm(const std::string& name, Limit& limit, int64_t now);

  void next(const std::string& name);

  Clock& clock;
  Timers* const timers;
  std::mutex mutex;
  std::map<std::string, Limit> limits;
  std::mutex sending;  // while calls that waited go out; before `mutex`
  bool stopped = false;
};

void Pacer::State::forget_old(Limit& limit, int64_t now) {
  std::erase_if(limit.told_ms, [&](const auto& told) { return told.second < now; });
  const bool quiet = limit.held.empty() && limit.told_ms.empty();
  const int64_t last = std::max(limit.refused_ms, limit.next_ms);
  if (quiet && now - last > kForgottenMs) limit.paced = false;
}

// Until the turn of one more call of this tenant: each of its own that waits, and as many of every
// other, go before it.
int64_t Pacer::State::wait_of(const Limit& limit, const std::string& tenant, int64_t now) {
  const size_t rounds = limit.held.size_of(tenant) + 1;
  const size_t others = limit.held.size() - limit.held.size_of(tenant);
  const auto before =
      static_cast<double>(rounds - 1 + std::min(others, rounds * limit.held.tenants()));
  return std::max<int64_t>(limit.next_ms - now, 0) + std::llround(before * limit.gap_ms);
}

// Behind all of its tenant that were told before; others go between.
int64_t Pacer::State::tell(Limit& limit, const std::string& tenant, int64_t now) {
  const auto behind_held = static_cast<double>(limit.held.size()) * limit.gap_ms;
  int64_t& told = limit.told_ms[tenant];
  const int64_t first = std::max(limit.next_ms, now) + std::llround(behind_held);
  const auto step = static_cast<double>(limit.told_ms.size()) * limit.gap_ms;
  told = std::max(told, first) + std::max<int64_t>(std::llround(step), 1);
  return std::min(told - now, kComeAgainMaxMs);
}

void Pacer::State::arm(const std::string& name, Limit& limit, int64_t now) {
  if (limit.timer != 0 || limit.held.empty()) return;
  limit.timer =
      timers->after(std::max<int64_t>(limit.next_ms - now, 0), [weak = weak_from_this(), name] {
        if (const auto alive = weak.lock()) alive->next(name);
      });
}

void Pacer::State::next(const std::string& name) {
  const std::lock_guard going(sending);
  if (stopped) return;
  std::vector<Call> ready;
  {
    const std::lock_guard lock(mutex);
    Limit& limit = limits[name];
    limit.timer = 0;
    const int64_t now = now_ms();
    while (!limit.held.empty() && (!limit.paced || now >= limit.next_ms)) {
      send_one(limit, now);
      ready.push_back(limit.held.take());
    }
    arm(name, limit, now);
  }
  for (const Call& call : ready) call.go();
}

Pacer::Pacer(Clock& clock, Timers* timers) : state_(std::make_shared<State>(clock, timers)) {}

void Pacer::stop() {
  const std::lock_guard going(state_->sending);
  state_->stopped = true;
}

int64_t Pacer::now_ms() {
  return state_->now_ms();
}

void Pacer::enter(const std::string& name, Call call) {
  int64_t wait_ms = 0;
  {
    const std::lock_guard lock(state_->mutex);
    const int64_t now = now_ms();
    Limit& limit = state_->limits[name];
    State::forget_old(limit, now);
    if (limit.paced && (now < limit.next_ms || !limit.held.empty())) {
      const bool holds = state_->timers != nullptr &&
                         limit.held.size_of(call.tenant) < kHeldOfTenant &&
                         State::wait_of(limit, call.tenant, now) <= kHoldMs;
      if (holds) {
        const std::string tenant = call.tenant;
        limit.held.add(tenant, std::move(call));
        return state_->arm(name, limit, now);
      }
      wait_ms = State::tell(limit, call.tenant, now);
    } else if (limit.paced) {
      State::send_one(limit, now);
    }
  }
  wait_ms > 0 ? call.come_again(wait_ms) : call.go();
}

bool Pacer::leave(const Position& position) {
  std::optional<Call> left;
  {
    const std::lock_guard lock(state_->mutex);
    for (auto& [name, limit] : state_->limits) {
      left = limit.held.remove([&](const Call& call) { return call.position == position; });
      if (left) break;
    }
  }
  if (left) left->come_again(0);
  return left.has_value();
}

void Pacer::refused(const std::string& name, int64_t sent_ms, int64_t wait_ms) {
  const std::lock_guard lock(state_->mutex);
  Limit& limit = state_->limits[name];
  const int64_t now = now_ms();
  limit.next_ms = std::max(limit.next_ms, now + wait_ms);
  // One of many that went out before the first of them was refused says nothing more.
  if (limit.paced && sent_ms <= limit.refused_ms) return;
  const double gap_ms = limit.paced ? kSlower * limit.gap_ms : gap_of(limit.answered, now, wait_ms);
  limit.gap_ms = std::clamp(gap_ms, kGapMinMs, kGapMaxMs);
  limit.paced = true;
  limit.refused_ms = now;
}

void Pacer::answered(const std::string& name, int64_t sent_ms) {
  const std::lock_guard lock(state_->mutex);
  Limit& limit = state_->limits[name];
  const int64_t now = now_ms();
  limit.answered.push_back(now);
  if (limit.answered.size() > kCounted) limit.answered.pop_front();
  if (!limit.paced || sent_ms <= limit.refused_ms || now - limit.refused_ms < kKeptMs) return;
  limit.gap_ms *= kFaster;
  if (limit.gap_ms < kGapMinMs) limit.paced = false;
}

}  // namespace perdure::runtime
