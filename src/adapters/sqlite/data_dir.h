#pragma once
// The directory of a store: private to its user, and open in one process at a time.
#include <string>
#include <utility>

#include "base/error.h"

namespace perdure {

// Holds the lock of a data directory until it is destroyed, or the process ends in any way.
class DataDir {
 public:
  // Creates the directory (0700) if it is missing. Refuses one that others can reach, that cannot
  // be written, or that another process holds.
  static Result<DataDir> lock(const std::string& path);
  // The same, for a directory that must exist.
  static Result<DataDir> lock_existing(const std::string& path);

  DataDir(DataDir&& other) noexcept;
  DataDir& operator=(DataDir&&) = delete;
  ~DataDir();

  const std::string& path() const { return path_; }
  std::string database_path() const { return path_ + "/perdure.db"; }
  // Names this process to the next one that is refused.
  Status sign();

 private:
  DataDir(std::string path, int lock_fd) : path_(std::move(path)), lock_fd_(lock_fd) {}

  std::string path_;
  int lock_fd_ = -1;
  bool signed_ = false;
};

// Makes names in the directory durable. Also for its parent after it was created.
Status sync_dir(const std::string& path);

}  // namespace perdure
