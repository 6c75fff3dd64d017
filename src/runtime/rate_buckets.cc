#include "runtime/rate_buckets.h"

#include <fmt/core.h>

#include <algorithm>

#include "model/codec.h"

namespace perdure::runtime {

std::optional<ProviderResult> RateBuckets::held_back(const std::string& bucket, int64_t mended_ms) {
  const std::lock_guard lock(mutex_);
  const auto found = closed_.find(bucket);
  if (found == closed_.end()) return std::nullopt;
  Closed& closed = found->second;
  const int64_t now = now_ms();
  const bool money = closed.failure == FailureClass::kQuota;
  if (money && now >= closed.until_ms) {
    closed_.erase(found);
    return std::nullopt;
  }
  const bool mended = money && mended_ms >= closed.told_unix_ms;
  const int64_t from_ms = mended ? closed.next_ms : std::max(closed.until_ms, closed.next_ms);
  if (now >= from_ms) {
    closed.next_ms = now + kNextMs;
    closed.tries = true;
    return std::nullopt;
  }
  const bool in_vain = money && !mended;
  const int64_t wait_ms = from_ms - now;
  ProviderResult out;
  out.outcome = in_vain ? Outcome::kFailed : Outcome::kNotSent;
  out.failure = in_vain ? FailureClass::kQuota : FailureClass::kRateLimit;
  out.retry_after_ms = wait_ms;
  out.used = Usage{};
  out.detail = fmt::format("not sent: another call {}; the next is sent in {} s",
                           in_vain  ? "was told that its quota is used up"
                           : mended ? "asks whether there is money now"
                                    : "was told to wait",
                           (wait_ms + 999) / 1000);
  return out;
}

void RateBuckets::note(const std::string& bucket, const ProviderResult& result) {
  if (result.outcome == Outcome::kSucceeded) return open_if_tried(bucket);
  const bool money = result.failure == FailureClass::kQuota;
  if (!money && result.failure != FailureClass::kRateLimit) return;
  int64_t wait_ms = result.retry_after_ms > 0 ? result.retry_after_ms : kRateLimitMs;
  if (money) wait_ms = kQuotaRecheckMs;
  const std::lock_guard lock(mutex_);
  Closed& closed = closed_[bucket];
  const int64_t until_ms = now_ms() + wait_ms;
  // What one that was let through is told is news, also when it is to wait for less.
  if (until_ms < closed.until_ms && !closed.tries) return;
  closed.until_ms = until_ms;
  closed.failure = result.failure;
  closed.told_unix_ms = clock_.unix_ms();
  closed.tries = false;
}

void RateBuckets::open_if_tried(const std::string& bucket) {
  const std::lock_guard lock(mutex_);
  const auto found = closed_.find(bucket);
  if (found != closed_.end() && found->second.tries) closed_.erase(found);
}

int64_t RateBuckets::now_ms() {
  return clock_.monotonic_us() / 1000;  // a set wall clock must not close a bucket for days
}

std::string bucket_of(const ModelConfig& config) {
  return fmt::format("{}\n{}\n{}\n{}\n{}", codec_of(config.provider).name(), config.base_url,
                     config.key, config.aws.access_key_id, config.model);
}

}  // namespace perdure::runtime
