#include "runtime/rate_buckets.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "model/codec.h"

namespace perdure::runtime {
namespace {

ProviderResult not_sent(Outcome outcome, FailureClass failure, int64_t wait_ms, const char* why) {
  ProviderResult out;
  out.outcome = outcome;
  out.failure = failure;
  out.retry_after_ms = wait_ms;
  out.used = Usage{};
  out.detail = fmt::format("not sent: {}; the next is sent in {} s", why, (wait_ms + 999) / 1000);
  return out;
}

}  // namespace

std::optional<ProviderResult> RateBuckets::without_money(const std::string& bucket,
                                                         int64_t mended_ms) {
  const std::lock_guard lock(mutex_);
  const auto found = no_money_.find(bucket);
  if (found == no_money_.end()) return std::nullopt;
  NoMoney& closed = found->second;
  const int64_t now = now_ms();
  if (now >= closed.until_ms) {
    no_money_.erase(found);
    return std::nullopt;
  }
  const bool mended = mended_ms >= closed.told_unix_ms;
  if (!mended) {
    return not_sent(Outcome::kFailed, FailureClass::kQuota, closed.until_ms - now,
                    "another call was told that its quota is used up");
  }
  if (now < closed.next_ms) {
    return not_sent(Outcome::kNotSent, FailureClass::kRateLimit, closed.next_ms - now,
                    "another call asks whether there is money now");
  }
  closed.next_ms = now + kNextMs;
  closed.tries = true;
  return std::nullopt;
}

void RateBuckets::ask(const std::string& bucket, Call call) {
  if (auto closed = without_money(bucket, call.mended_ms)) {
    return call.held_back(std::move(*closed));
  }
  pacer_.enter(bucket, {std::move(call.tenant), std::move(call.position), std::move(call.go),
                        [held_back = std::move(call.held_back)](int64_t wait_ms) {
                          held_back(not_sent(Outcome::kNotSent, FailureClass::kRateLimit, wait_ms,
                                             "another call was told to wait"));
                        }});
}

void RateBuckets::note(const std::string& bucket, const ProviderResult& result, int64_t sent_ms) {
  const bool answered = result.outcome == Outcome::kSucceeded;
  const bool limited = !answered && result.failure == FailureClass::kRateLimit;
  if (answered) pacer_.answered(bucket, sent_ms);
  if (limited) {
    pacer_.refused(bucket, sent_ms,
                   result.retry_after_ms > 0 ? result.retry_after_ms : kRateLimitMs);
  }
  const std::lock_guard lock(mutex_);
  const auto found = no_money_.find(bucket);
  if ((answered || limited) && found != no_money_.end() && found->second.tries) {
    no_money_.erase(found);  // who was let through has found some
  } else if (!answered && result.failure == FailureClass::kQuota) {
    NoMoney& closed = no_money_[bucket];
    closed = {now_ms() + kQuotaRecheckMs, clock_.unix_ms(), closed.next_ms, false};
  }
}

std::string bucket_of(const ModelConfig& config) {
  return fmt::format("{}\n{}\n{}\n{}\n{}", codec_of(config.provider).name(), config.base_url,
                     config.key, config.aws.access_key_id, config.model);
}

}  // namespace perdure::runtime
