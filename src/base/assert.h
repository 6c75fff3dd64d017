#pragma once
// Assertions are for programmer errors only, and stay on in release: a wrong state must not be
// journaled.
namespace perdure {
[[noreturn]] void assertion_failed(const char* expression, const char* file, int line,
                                   const char* why);
}  // namespace perdure

#define PERDURE_ASSERT(expression, why) \
  (static_cast<bool>(expression)        \
       ? static_cast<void>(0)           \
       : ::perdure::assertion_failed(#expression, __FILE__, __LINE__, why))
