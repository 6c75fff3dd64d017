#pragma once
// What several tasks share: a limit of one provider, credential and model. When one call is told to
// wait, its siblings are not sent either, so that they do not storm. In memory: after a restart the
// provider says it again.
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "model/provider.h"

namespace perdure::runtime {

class RateBuckets {
 public:
  explicit RateBuckets(Clock& clock) : clock_(clock) {}

  // What becomes of a call while its bucket is closed, unsent: NOT_SENT with the time to wait, or,
  // without money, FAILED like the one that was told so. Nothing while it is open. When the time is
  // over, one call is let through, and the next kNextMs later, until one is answered. So it is at
  // once for the calls of those who have said that there is money now (Send::mended_ms).
  std::optional<ProviderResult> held_back(const std::string& bucket, int64_t mended_ms = 0);
  // How a call of this bucket ended. A rate limit closes it for as long as the provider asked.
  // Missing money closes it for kQuotaRecheckMs and not longer, so that money that came is seen.
  // An answer opens it if a call was let through since, and nothing otherwise: it is of a call that
  // was sent before.
  void note(const std::string& bucket, const ProviderResult& result);

  static constexpr int64_t kRateLimitMs = 1'000;  // when the provider does not say
  static constexpr int64_t kQuotaRecheckMs = 15'000;
  static constexpr int64_t kNextMs = 1'000;

 private:
  struct Closed {
    int64_t until_ms = 0;
    FailureClass failure = FailureClass::kRateLimit;
    int64_t told_unix_ms = 0;  // compared with decisions alone
    int64_t next_ms = 0;       // before it no other call is let through
    bool tries = false;        // a call was let through
  };

  void open_if_tried(const std::string& bucket);
  int64_t now_ms();

  Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, Closed> closed_;
};

// Equal for models that share a limit. Holds the reference to the key, not the key.
std::string bucket_of(const ModelConfig& config);

}  // namespace perdure::runtime
