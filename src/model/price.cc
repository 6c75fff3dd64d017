#include "model/price.h"

#include <algorithm>
#include <cmath>

namespace perdure {
namespace {

constexpr int64_t kMega = 1'000'000;
constexpr int64_t kTokensMax = 1'000'000'000'000;

}  // namespace

MicroUsd micro_usd(double usd) {
  return std::llround(std::clamp(usd, 0.0, kPriceMaxUsdPerMtok) * 1e6);
}

MicroUsd cost(const ModelPrice& price, int64_t input_tokens, int64_t output_tokens) {
  const int64_t in = std::clamp<int64_t>(input_tokens, 0, kTokensMax);
  const int64_t out = std::clamp<int64_t>(output_tokens, 0, kTokensMax);
  // Whole millions of tokens apart from the rest, so that no product passes 2^63: prices are at
  // most 10^12.
  const int64_t whole = in / kMega * price.input_per_mtok + out / kMega * price.output_per_mtok;
  const int64_t rest = in % kMega * price.input_per_mtok + out % kMega * price.output_per_mtok;
  return whole + (rest + kMega - 1) / kMega;
}

Usage estimate(const ModelPrice& price, size_t request_bytes, int64_t max_output_tokens) {
  Usage usage;
  usage.model_calls = 1;
  usage.input_tokens = static_cast<int64_t>(request_bytes / 3 + 1);
  usage.output_tokens = max_output_tokens;
  usage.cost_micro_usd = cost(price, usage.input_tokens, usage.output_tokens);
  return usage;
}

}  // namespace perdure
