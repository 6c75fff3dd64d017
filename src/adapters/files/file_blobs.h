#pragma once
// Blobs as files, named by their hash: <dir>/blobs/<tenant>/<first byte>/<hash>, where <tenant> is
// the SHA-256 of the tenant's name, so that no name becomes a path.
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>

#include "ports/blobs.h"

namespace perdure {

// Thread-safe.
class FileBlobs : public Blobs {
 public:
  // `dir` exists, and is this process's own while the object lives: files that an earlier process
  // left half written are removed.
  static Result<std::unique_ptr<FileBlobs>> open(const std::string& dir);

  // To look only, also while another process has `dir`: nothing is made or removed.
  static std::unique_ptr<FileBlobs> view(const std::string& dir);

  // Nothing is written if the blob is there already.
  Status put(const std::string& tenant, const Sha256& hash, std::string_view bytes) override;
  // kNotFound; kCorrupt if the bytes are not those of the hash.
  Result<std::string> get(const std::string& tenant, const Sha256& hash) override;

 private:
  explicit FileBlobs(std::string root) : root_(std::move(root)) {}
  std::string dir_of(const std::string& tenant, const Sha256& hash) const;
  std::string temporary_name();
  Status write(const std::string& path, std::string_view bytes);
  // Creates <tenant>/<first byte> below the root, durably.
  Status make_dirs(const std::string& dir);
  // A sync that failed once may succeed the second time although bytes were lost: after the first
  // failure nothing is put any more.
  Status sync(const std::string& dir);

  const std::string root_;
  std::mutex mutex_;                    // of what follows
  std::set<std::string> durable_dirs_;  // at most 257 a tenant
  uint64_t next_temporary_ = 0;
  std::optional<Error> failure_;
};

}  // namespace perdure
