#pragma once
// When two calls wish for the same thing: the same tool, and equal values at the places that the
// operator named.
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/json.h"

namespace perdure {

// `pointers`: JSON Pointers into the arguments; none: all of them. A place that is absent differs
// from every value. Arguments that are not JSON are compared by their bytes.
Sha256 identity_of(std::string_view tool, const std::vector<std::string>& pointers,
                   std::string_view args);
// The same, of arguments that are parsed.
Sha256 identity_of_value(std::string_view tool, const std::vector<std::string>& pointers,
                         const json::value& args);

}  // namespace perdure
