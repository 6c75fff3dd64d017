#pragma once
// Answers that the server gives itself, before any handler: RFC 9457 problem details.
#include <string>
#include <string_view>

#include "api/http.h"

namespace perdure::http {

struct Problem {
  int status = 0;
  std::string_view code;  // stable, also the end of `type`
  std::string detail;     // what was wrong and what the client can do
};

api::Response to_response(const Problem& problem);

// RFC 9110, section 15; empty for a status it does not list.
std::string_view reason_phrase(int status);

}  // namespace perdure::http
