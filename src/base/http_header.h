#pragma once
// What may be a header of a request of ours. Source: RFC 9110, sections 5.5 and 5.6.2.
#include <string>
#include <string_view>

#include "base/error.h"

namespace perdure {

// Its name is a token, none that the transport writes itself, and its value is of one line.
Status check_http_header(std::string_view name, std::string_view value);

}  // namespace perdure
