#pragma once
// The idempotency key of a call: of its position, never of its arguments, which a model rephrases.
#include <cstdint>
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/id.h"
#include "journal/terms.h"

namespace perdure {

// HMAC-SHA-256 over (task, step, attempt group) with the store's secret, its first 160 bits in base
// 32: 32 letters. Equal for all sends of one attempt group, different otherwise, and not to be
// guessed without the secret. `args_hash` is not used, but for a bug that tests plant.
std::string key_of(std::string_view store_secret, const TaskId& task, const StepId& step,
                   uint32_t group, const Sha256& args_hash);

struct CallKey {
  std::string text;   // as `key_of` says
  std::string check;  // the next 40 bits, 8 letters: tells that it is this key, not what it is
};
CallKey call_key(std::string_view store_secret, const TaskId& task, const StepId& step,
                 uint32_t group, const Sha256& args_hash);

}  // namespace perdure
