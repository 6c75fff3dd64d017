#pragma once
#include <map>
#include <mutex>
#include <string>
#include <utility>

#include "ports/blobs.h"

namespace perdure::test {

class MemoryBlobs final : public Blobs {
 public:
  Status put(const std::string& tenant, const Sha256& hash, std::string_view bytes) override {
    const std::lock_guard lock(mutex_);
    blobs_[{tenant, hash}] = bytes;
    return {};
  }
  Result<std::string> get(const std::string& tenant, const Sha256& hash) override {
    const std::lock_guard lock(mutex_);
    const auto found = blobs_.find({tenant, hash});
    if (found == blobs_.end()) return fail(Code::kCorrupt, "no such blob");
    return found->second;
  }

 private:
  std::mutex mutex_;
  std::map<std::pair<std::string, Sha256>, std::string> blobs_;
};

}  // namespace perdure::test
