#pragma once
// Errors are values. An error says what happened, to what, and what the reader can do about it.
// Programmer errors are assertions (base/assert.h) and stay on in release.
#include <cstdint>
#include <string>
#include <string_view>
#include <tl/expected.hpp>

namespace perdure {

enum class Code : uint8_t {
  kInvalid,  // the caller sent something that is wrong; repeating it will not help
  kNotFound,
  kConflict,  // true of a state that has moved on
  kUnauthenticated,
  kForbidden,
  kTooLarge,
  kExhausted,    // a limit, a quota, no space
  kUnavailable,  // not now; the same call may work later
  kTimeout,
  kCancelled,
  kCorrupt,  // stored bytes are not what was written
  kUnsupported,
  kInternal,
};

std::string_view to_string(Code code);

struct Error {
  Code code = Code::kInternal;
  std::string message;
};

template <class T>
using Result = tl::expected<T, Error>;
using Status = Result<void>;

inline tl::unexpected<Error> fail(Code code, std::string message) {
  return tl::unexpected<Error>(Error{code, std::move(message)});
}

}  // namespace perdure

#define PERDURE_CONCAT_(a, b) a##b
#define PERDURE_CONCAT(a, b) PERDURE_CONCAT_(a, b)
// Returns the error of `expr` from the enclosing function, or goes on.
#define TRY_STATUS(expr)                                                           \
  do {                                                                             \
    if (auto try_ = (expr); !try_) return tl::unexpected(std::move(try_).error()); \
  } while (false)
// As above; on success `decl` is initialised with the value.
#define TRY_ASSIGN(decl, expr)                                                \
  auto PERDURE_CONCAT(try_, __LINE__) = (expr);                               \
  if (!PERDURE_CONCAT(try_, __LINE__))                                        \
    return tl::unexpected(std::move(PERDURE_CONCAT(try_, __LINE__)).error()); \
  decl = std::move(*PERDURE_CONCAT(try_, __LINE__))
