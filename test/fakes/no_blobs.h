#pragma once
#include "ports/blobs.h"

namespace perdure::test {

// Takes everything, has nothing.
class NoBlobs : public Blobs {
 public:
  Status put(const std::string&, const Sha256&, std::string_view) override { return {}; }
  Result<std::string> get(const std::string&, const Sha256&) override {
    return fail(Code::kNotFound, "no blobs");
  }
};

}  // namespace perdure::test
