#pragma once
// The Prefer header (RFC 7240): the preferences that this server knows.
#include <cstdint>
#include <optional>
#include <string>

#include "api/http.h"

namespace perdure::api {

struct Preferences {
  bool respond_async = false;
  std::optional<int64_t> wait_s;  // as asked for

  // How long to hold the answer back; 0: not at all.
  int64_t wait_ms(int64_t max_ms) const;
  // The value of Preference-Applied; empty if nothing was asked for.
  std::string applied() const;
};

// What cannot be read is no preference.
Preferences preferences_of(const Request& request);

}  // namespace perdure::api
