#pragma once
// Equality as schemas mean it: numbers by value, objects without order.
#include "base/json.h"
#include "schema/work.h"

namespace perdure::schema {

bool equal(const json::value& a, const json::value& b, Work& work);
// True if no two items are equal.
bool all_differ(const json::array& items, Work& work);

}  // namespace perdure::schema
