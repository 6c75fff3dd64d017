#pragma once
// A question to a person as it is shown: what was sent, when, with which key, and the command that
// answers.
#include <optional>

#include "api/context.h"

namespace perdure::api {

// Nothing if this task never asked that. `tenant` is the task's.
Result<std::optional<json::object>> view_interrupt(Context& context, const std::string& tenant,
                                                   const InterruptId& id);

}  // namespace perdure::api
