#include "runtime/rate_buckets.h"

#include <fmt/core.h>

#include <algorithm>

#include "model/codec.h"

namespace perdure::runtime {

std::optional<ProviderResult> RateBuckets::held_back(const std::string& bucket) {
  const std::lock_guard lock(mutex_);
  const auto found = closed_.find(bucket);
  if (found == closed_.end()) return std::nullopt;
  const int64_t wait_ms = found->second.until_ms - clock_.unix_ms();
  if (wait_ms <= 0) {
    closed_.erase(found);
    return std::nullopt;
  }
  const bool money = found->second.failure == FailureClass::kQuota;
  ProviderResult out;
  out.outcome = money ? Outcome::kFailed : Outcome::kNotSent;
  out.failure = found->second.failure;
  out.retry_after_ms = wait_ms;
  out.used = Usage{};
  out.detail = fmt::format("not sent: another call was told {}; the next is sent in {} s",
                           money ? "that its quota is used up" : "to wait", (wait_ms + 999) / 1000);
  return out;
}

void RateBuckets::note(const std::string& bucket, const ProviderResult& result) {
  const bool money = result.failure == FailureClass::kQuota;
  const std::lock_guard lock(mutex_);
  if (result.outcome == Outcome::kSucceeded) {
    closed_.erase(bucket);
  } else if (money || result.failure == FailureClass::kRateLimit) {
    const int64_t asked_ms = result.retry_after_ms > 0 ? result.retry_after_ms
                             : money                   ? kQuotaRecheckMs
                                                       : kRateLimitMs;
    Closed& closed = closed_[bucket];
    closed.until_ms = std::max(closed.until_ms, clock_.unix_ms() + asked_ms);
    closed.failure = result.failure;
  }
}

std::string bucket_of(const ModelConfig& config) {
  return fmt::format("{}\n{}\n{}\n{}", codec_of(config.provider).name(), config.base_url,
                     config.key, config.model);
}

}  // namespace perdure::runtime
