#pragma once
// The idempotency key that travels with a call: of the position, never of the arguments, which a model rephrases.
#include <string>
#include <string_view>

#include "base/hash.h"
#include "base/id.h"
#include "journal/terms.h"

namespace perdure {

// base32(HMAC-SHA-256(store secret; task, step, attempt group)), 26 characters: 130 bits.
std::string key_of(std::string_view store_secret, const TaskId& task, const StepId& step,
                   uint32_t group, const Sha256& args_hash);

}  // namespace perdure
