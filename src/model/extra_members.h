#pragma once
#include <cstdint>
#include <string>
#include <string_view>

namespace perdure {

// Appends the members of `extra` (ModelConfig::extra) behind those of an open object.
void put_extra(std::string& out, std::string_view extra);

// Appends ,"group":{"limit":value} and the members of `extra`; those that the operator
// puts into `group` stand there, behind the limit.
void put_with_extra(std::string& out, std::string_view group, std::string_view limit, int64_t value,
                    const std::string& extra);

}  // namespace perdure
