#pragma once
// What outlives the process: the store's rows, the blobs, and which tasks another process has taken
// over. Rows only ever grow by whole commits; there is no way to take one back.
#include <map>
#include <string>

#include "adapters/memory/rows.h"
#include "base/hash.h"
#include "decay.h"
#include "ports/blobs.h"
#include "ports/snapshots.h"

namespace perdure::sim {

struct Disk {
  Disk() = default;
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  StoreRows rows;          // as written
  SnapshotRows snapshots;  // the same
  Decay decay{rows, snapshots};
  std::map<Sha256, std::string> blobs;
  std::map<TaskId, Epoch> fences;  // commits of a smaller epoch are refused
};

class SimBlobs : public Blobs {
 public:
  explicit SimBlobs(Disk& disk) : disk_(disk) {}
  Status put(const std::string&, const Sha256& hash, std::string_view bytes) override {
    disk_.blobs[hash] = bytes;
    return {};
  }
  Result<std::string> get(const std::string&, const Sha256& hash) override {
    const auto found = disk_.blobs.find(hash);
    if (found == disk_.blobs.end()) return fail(Code::kNotFound, "there is no such blob");
    return found->second;
  }

 private:
  Disk& disk_;
};

}  // namespace perdure::sim
