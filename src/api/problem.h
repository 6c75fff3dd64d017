#pragma once
// Errors as clients see them: RFC 9457 problem details with a stable `type` and `code`.
#include <string>
#include <string_view>

#include "api/http.h"
#include "base/error.h"

namespace perdure::api {

struct Problem {
  int status = 500;
  std::string_view code;  // stable; the end of `type`: "urn:perdure:problem:<code>"
  std::string detail;     // what was wrong, and what the client can do
  Headers headers = {};
};

Response to_response(const Problem& problem);

// What a client is told about an error of the inside. Those that are no client's doing keep their
// details in the log.
Response problem(const Error& error);

inline Response problem(int status, std::string_view code, std::string detail,
                        Headers headers = {}) {
  return to_response({status, code, std::move(detail), std::move(headers)});
}

Response json_response(int status, std::string body);

}  // namespace perdure::api

// Returns the problem of `expr` from a function that gives a Response, or goes on.
#define ANSWER_STATUS(expr)                                                      \
  do {                                                                           \
    if (auto try_ = (expr); !try_) return ::perdure::api::problem(try_.error()); \
  } while (false)
// As above; on success `decl` is initialised with the value.
#define ANSWER_ASSIGN(decl, expr)                                           \
  auto PERDURE_CONCAT(try_, __LINE__) = (expr);                             \
  if (!PERDURE_CONCAT(try_, __LINE__))                                      \
    return ::perdure::api::problem(PERDURE_CONCAT(try_, __LINE__).error()); \
  decl = std::move(*PERDURE_CONCAT(try_, __LINE__))
