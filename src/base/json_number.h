#pragma once
// Exact floating point numbers. Boost.JSON 1.81 rounds one in five long decimals to a neighbour,
// so that a number changed each time it was read and written, and reads 1e400 as infinity, which
// it then writes as "Infinity": not JSON.
#include <boost/json/value.hpp>
#include <string_view>

#include "base/error.h"

namespace perdure {

// `value` is what `text` was parsed into, without duplicate members. Replaces every double by the
// one nearest to its text. An error if a number is beyond the range of a double.
Status make_numbers_exact(boost::json::value& value, std::string_view text);

}  // namespace perdure
