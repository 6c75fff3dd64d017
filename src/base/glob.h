#pragma once
#include <string_view>

namespace perdure {

// '*' stands for any run of bytes, also none; everything else for itself.
bool matches_glob(std::string_view pattern, std::string_view word);

}  // namespace perdure
