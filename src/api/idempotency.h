#pragma once
// The Idempotency-Key header: draft-ietf-httpapi-idempotency-key-header. A structured-field string,
// or, as many clients send it, the bare text; both name the same key.
#include <optional>
#include <string>

#include "api/http.h"
#include "base/error.h"

namespace perdure::api {

inline constexpr size_t kIdempotencyKeyMaxBytes = 255;

// Nothing if there is none.
Result<std::optional<std::string>> idempotency_key_of(const Request& request);

}  // namespace perdure::api
