#pragma once
// Snapshots as files: <dir>/snapshots/<task>.<kind>. They stand apart from the store, whose log and
// whose commits they must not touch: docs/adr/014.
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "ports/snapshots.h"

namespace perdure {

class SnapshotFiles final : public Snapshots {
 public:
  // `dir` exists, and is this process's own while the object lives.
  static Result<std::unique_ptr<SnapshotFiles>> open(const std::string& dir);

  // A file that is not what was written is removed.
  std::optional<TaskSnapshot> find(const TaskId& task, TaskSnapshot::Kind kind) override;
  Status put(const TaskSnapshot& snapshot) override;
  void drop(const TaskId& task) override;
  uint64_t size_bytes(const TaskId& task, TaskSnapshot::Kind kind) override;
  std::vector<TaskId> tasks() override;

 private:
  explicit SnapshotFiles(std::string root) : root_(std::move(root)) {}
  std::string path_of(const TaskId& task, TaskSnapshot::Kind kind) const;

  const std::string root_;
};

// Calls `damaged` with the path of each file of a data directory that is not what was written.
void check_snapshot_files(const std::string& dir,
                          const std::function<void(const std::string& path)>& damaged);

}  // namespace perdure
