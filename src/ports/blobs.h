#pragma once
// Payloads too large for a frame, by their hash. A blob is durable (file and directory) before
// `put` returns, and so before any frame names it. Thread-safe.
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/hash.h"

namespace perdure {

class Blobs {
 public:
  virtual ~Blobs() = default;
  virtual Status put(const std::string& tenant, const Sha256& hash, std::string_view bytes) = 0;
  virtual Result<std::string> get(const std::string& tenant, const Sha256& hash) = 0;
};

}  // namespace perdure
