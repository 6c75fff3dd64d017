#include "journal/price.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "journal/record.h"

namespace perdure {
namespace {

constexpr int64_t kMega = 1'000'000;
constexpr int64_t kTokensMax = 1'000'000'000'000;

}  // namespace

MicroUsd micro_usd(double usd) {
  return std::llround(std::clamp(usd, 0.0, kPriceMaxUsdPerMtok) * 1e6);
}

TokenCounts tokens_of(const ModelAnswer& answer) {
  return {answer.input_tokens, answer.cached_input_tokens, answer.cache_write_tokens,
          answer.output_tokens};
}

MicroUsd cost(const ModelPrice& price, const TokenCounts& tokens) {
  const int64_t input = std::clamp<int64_t>(tokens.input, 0, kTokensMax);
  const int64_t cached = std::clamp<int64_t>(tokens.cached_input, 0, input);
  const int64_t written = std::clamp<int64_t>(tokens.cache_write, 0, input - cached);
  const int64_t output = std::clamp<int64_t>(tokens.output, 0, kTokensMax);
  const auto or_input = [&](MicroUsd special) {
    return special < 0 ? price.input_per_mtok : special;
  };
  const std::pair<int64_t, MicroUsd> parts[] = {
      {input - cached - written, price.input_per_mtok},
      {cached, or_input(price.cached_input_per_mtok)},
      {written, or_input(price.cache_write_per_mtok)},
      {output, price.output_per_mtok},
  };
  // Whole millions of tokens apart from the rest, so that no product passes 2^63: prices are at
  // most 10^12.
  int64_t whole = 0, rest = 0;
  for (const auto& [count, per_mtok] : parts) {
    whole += count / kMega * per_mtok;
    rest += count % kMega * per_mtok;
  }
  return whole + (rest + kMega - 1) / kMega;
}

MicroUsd cost_at_most(const ModelPrice& price, int64_t input_tokens, int64_t output_tokens) {
  const ModelPrice dearest{
      .input_per_mtok = std::max(price.input_per_mtok, price.cache_write_per_mtok),
      .output_per_mtok = price.output_per_mtok};
  return cost(dearest, {.input = input_tokens, .output = output_tokens});
}

bool may_have_cost(const StepSettled& settled) {
  const auto& used = settled.used;
  const bool counted = used && (used->input_tokens > 0 || used->output_tokens > 0);
  switch (settled.outcome) {
    case Outcome::kNotSent:
      return false;
    case Outcome::kDeferred:
      return counted;
    case Outcome::kFailed:
      return !used || counted;
    default:
      return true;
  }
}

Usage estimate(const ModelPrice& price, size_t request_bytes, int64_t max_output_tokens) {
  Usage usage;
  usage.model_calls = 1;
  usage.input_tokens = static_cast<int64_t>(request_bytes / 3 + 1);
  usage.output_tokens = max_output_tokens;
  usage.cost_micro_usd = cost_at_most(price, usage.input_tokens, usage.output_tokens);
  return usage;
}

}  // namespace perdure
