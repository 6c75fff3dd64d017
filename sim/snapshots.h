#pragma once
// The snapshots of one process, on the world's disk. Each that is written is held against what the
// journal gives, folded from its beginning.
#include "disk.h"
#include "runtime/runtime.h"

namespace perdure::sim {

class World;

class SimSnapshots : public Snapshots {
 public:
  SimSnapshots(World& world, Disk& disk, const runtime::Setup& setup)
      : world_(world), disk_(disk), setup_(setup) {}

  std::optional<TaskSnapshot> find(const TaskId& task, TaskSnapshot::Kind kind) override;
  Status put(const TaskSnapshot& snapshot) override;
  void drop(const TaskId& task) override;
  uint64_t size_bytes(const TaskId& task, TaskSnapshot::Kind kind) override;
  std::vector<TaskId> tasks() override;

 private:
  void judge(const TaskSnapshot& snapshot);
  std::string folded(const TaskSnapshot& snapshot, const std::vector<Record>& records);

  World& world_;
  Disk& disk_;
  const runtime::Setup& setup_;
};

}  // namespace perdure::sim
