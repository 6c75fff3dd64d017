#pragma once
// What a call costs, in whole millionths of a US dollar. Floating point is read once, from the
// configuration; everything after is integers, rounded up.
#include <cstddef>
#include <cstdint>

#include "journal/message.h"
#include "journal/terms.h"

namespace perdure {

struct StepSettled;

// Per million tokens.
struct ModelPrice {
  MicroUsd input_per_mtok = 0;
  MicroUsd output_per_mtok = 0;
  // Of input that the provider's cache gave or took. -1: as other input.
  MicroUsd cached_input_per_mtok = -1;
  MicroUsd cache_write_per_mtok = -1;
  bool known = true;  // false: nobody said, and all are 0
};

struct TokenCounts {
  int64_t input = 0;  // all of it, the next two included
  int64_t cached_input = 0;
  int64_t cache_write = 0;
  int64_t output = 0;
};

TokenCounts tokens_of(const ModelAnswer& answer);

inline constexpr double kPriceMaxUsdPerMtok = 1e6;

// 0 to kPriceMaxUsdPerMtok dollars, to the nearest millionth.
MicroUsd micro_usd(double usd);

// Negative counts are taken as 0, enormous ones as 10^12; parts of the input as at most all of it.
MicroUsd cost(const ModelPrice& price, const TokenCounts& tokens);
// The most that so many tokens can cost, wherever the input comes from.
MicroUsd cost_at_most(const ModelPrice& price, int64_t input_tokens, int64_t output_tokens);

// Whether a call that ended so may have been billed; of a model without a price, nobody knows how
// much. What was refused or never sent was not.
bool may_have_cost(const StepSettled& settled);

// At most what one call uses: a token is taken to be three bytes of the encoded request. English is
// nearer to four; a text that tokenizes worse can pass this, and is then settled at what it used.
Usage estimate(const ModelPrice& price, size_t request_bytes, int64_t max_output_tokens);

}  // namespace perdure
