#pragma once
// What a call costs, in whole millionths of a US dollar. Floating point is read once, from the
// configuration; everything after is integers, rounded up.
#include <cstddef>
#include <cstdint>

#include "journal/terms.h"

namespace perdure {

struct ModelPrice {
  MicroUsd input_per_mtok = 0;  // per million tokens
  MicroUsd output_per_mtok = 0;
};

inline constexpr double kPriceMaxUsdPerMtok = 1e6;

// 0 to kPriceMaxUsdPerMtok dollars, to the nearest millionth.
MicroUsd micro_usd(double usd);

// Negative counts are taken as 0, enormous ones as 10^12.
MicroUsd cost(const ModelPrice& price, int64_t input_tokens, int64_t output_tokens);

// At most what one call uses: a token is taken to be three bytes of the encoded request. English is
// nearer to four; a text that tokenizes worse can pass this, and is then settled at what it used.
Usage estimate(const ModelPrice& price, size_t request_bytes, int64_t max_output_tokens);

}  // namespace perdure
