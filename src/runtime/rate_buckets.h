#pragma once
// What several tasks share: a limit of one provider, credential and model. When one call is told to
// wait, its siblings are not sent either, so that they do not storm (runtime/pacer.h); and when one
// is told that there is no money, the others need not ask. In memory: after a restart the provider
// says it again.
#include <cstdint>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>

#include "model/provider.h"
#include "runtime/pacer.h"

namespace perdure::runtime {

// Thread-safe.
class RateBuckets {
 public:
  // `timers`: as of Pacer.
  RateBuckets(Clock& clock, Timers* timers) : clock_(clock), pacer_(clock, timers) {}

  struct Call {
    std::string tenant;
    Pacer::Position position;
    int64_t mended_ms = 0;                          // Send::mended_ms
    std::function<void()> go;                       // it is to be sent now
    std::function<void(ProviderResult)> held_back;  // it is not sent
  };
  // Calls one of the two, once, at once or in a moment, on any thread. While there is no money a
  // call is FAILED like the one that was told so, but for those of whoever has said since that
  // there is money: of these one goes out, and the next kNextMs later, until one is answered.
  void ask(const std::string& bucket, Call call);
  void stop() { pacer_.stop(); }  // as of Pacer
  // A call that waits for its turn is held back at once; false if there is none.
  bool leave(const Pacer::Position& position) { return pacer_.leave(position); }
  // How a call of this bucket ended that was sent at `sent_ms` (now_ms). A rate limit slows the
  // bucket down. Missing money closes it for kQuotaRecheckMs and not longer, so that money that
  // came is seen; an answer opens it if a call was let through since.
  void note(const std::string& bucket, const ProviderResult& result, int64_t sent_ms);
  int64_t now_ms() { return pacer_.now_ms(); }

  static constexpr int64_t kRateLimitMs = 1'000;  // when the provider does not say
  static constexpr int64_t kQuotaRecheckMs = 15'000;
  static constexpr int64_t kNextMs = 1'000;

 private:
  struct NoMoney {
    int64_t until_ms = 0;
    int64_t told_unix_ms = 0;  // compared with decisions alone
    int64_t next_ms = 0;       // before it no other call is let through
    bool tries = false;        // a call was let through
  };

  std::optional<ProviderResult> without_money(const std::string& bucket, int64_t mended_ms);

  Clock& clock_;
  Pacer pacer_;
  std::mutex mutex_;
  std::map<std::string, NoMoney> no_money_;
};

// Equal for models that share a limit. Holds the reference to the key, not the key.
std::string bucket_of(const ModelConfig& config);

}  // namespace perdure::runtime
