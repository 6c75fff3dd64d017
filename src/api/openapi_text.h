#pragma once
#include <string_view>

namespace perdure::api {

// api/openapi.json as it stood when this was built.
std::string_view openapi_text();

}  // namespace perdure::api
