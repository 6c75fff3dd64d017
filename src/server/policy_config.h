#pragma once
// The tables [[policy]] of the operator's file.
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "runtime/policy_rules.h"

namespace perdure::server {

// `tools`: those that the file declares. A name without a star and without a dot is one of them.
Result<std::vector<runtime::PolicyRule>> read_policy(const json::array& tables,
                                                     const std::vector<std::string>& tools);

}  // namespace perdure::server
