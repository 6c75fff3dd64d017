#pragma once
// Members of foreign JSON objects: what is absent or of another type is empty.
#include <cstdint>
#include <optional>
#include <string_view>

#include "base/json.h"

namespace perdure {

std::string_view text_in(const json::object& object, std::string_view name);
std::optional<int64_t> integer_in(const json::object& object, std::string_view name);
const json::object* object_in(const json::object& object, std::string_view name);
const json::array* array_in(const json::object& object, std::string_view name);

}  // namespace perdure
