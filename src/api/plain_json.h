#pragma once
// The journal's small types as clients see them.
#include <string_view>

#include "base/json.h"
#include "journal/payload.h"
#include "journal/terms.h"

namespace perdure::api {

double to_usd(MicroUsd amount);

json::object usage_json(const Usage& usage);
json::object limits_json(const Limits& limits);  // null: unlimited

// out[name] = the payload's JSON value, or its text. Without bytes at hand out[name + "_omitted"]
// says its hash and size. Nothing if there is no payload.
void put_payload(json::object& out, std::string_view name, const Payload& payload);

}  // namespace perdure::api
