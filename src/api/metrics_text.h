#pragma once
// Counters in the text format of Prometheus 0.0.4.
#include <string>

#include "api/context.h"

namespace perdure::api {

std::string metrics_text(Context& context);

}  // namespace perdure::api
