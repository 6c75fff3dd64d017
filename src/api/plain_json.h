#pragma once
// The journal's small types as clients see them.
#include <string_view>

#include "base/json.h"
#include "journal/payload.h"
#include "journal/terms.h"

namespace perdure::api {

double to_usd(MicroUsd amount);

// `unpriced_calls`: of models without a price, which count as 0 USD; left out if there are none.
json::object usage_json(const Usage& usage, uint32_t unpriced_calls = 0);
json::object limits_json(const Limits& limits);  // null: unlimited

// out[name] = the payload's JSON value, or its text. Without bytes at hand out[name + "_omitted"]
// says its hash and size. Nothing if there is no payload.
void put_payload(json::object& out, std::string_view name, const Payload& payload);

}  // namespace perdure::api
