#pragma once
// Answers from a recording (model/recording.h): the same request gets the same answer, and another
// request gets none. For tests and for looking at a run again without paying for it.
#include <mutex>
#include <vector>

#include "model/codec.h"
#include "model/provider.h"
#include "model/recording.h"

namespace perdure {

class ReplayProvider final : public Provider {
 public:
  ReplayProvider(ModelConfig config, std::vector<RecordedExchange> exchanges);

  // Every recorded exchange is used once. A request that equals no unused one byte by byte is
  // FAILED, class `invalid`; the detail shows where it differs from the next unused one.
  CallId call(ProviderCall call, ProviderCallbacks callbacks) override;
  void cancel(CallId call) override;

  size_t unused() const;

 private:
  // Marks it used. Null: none; then `why` is set.
  const RecordedExchange* take(const std::string& request, std::string& why);

  ModelConfig config_;
  const Codec& codec_;
  std::vector<RecordedExchange> exchanges_;
  mutable std::mutex mutex_;
  std::vector<bool> used_;
};

// "first difference at byte 12: recorded \"...\", now \"...\"".
std::string describe_difference(std::string_view recorded, std::string_view now);

}  // namespace perdure
