#pragma once
// Transcripts of agents' tasks that were looked at a moment ago: a cache, so that a turn folds its
// news and not its whole journal. Those of long journals have a snapshot besides, for the next
// process and for who comes back after a while.
#include <list>
#include <map>
#include <memory>
#include <mutex>
#include <span>

#include "agent/transcript.h"
#include "engine/damage.h"
#include "ports/blobs.h"
#include "ports/snapshots.h"
#include "ports/store.h"

namespace perdure::runtime {

class Transcripts {
 public:
  // Keeps no more than that of either, but always the one that was asked for last.
  // `snapshots`: null if there are none.
  Transcripts(StoreReader& store, Blobs& blobs, Snapshots* snapshots, size_t tasks_max,
              uint64_t bytes_max)
      : store_(store),
        blobs_(blobs),
        snapshots_(snapshots),
        tasks_max_(tasks_max),
        bytes_max_(bytes_max) {}

  // Who is told of damage. Before the first use.
  void tell(engine::DamageWatch& watch) { watch_ = &watch; }

  // The transcript folded up to `upto_seq` exactly. `news` may bring records that are not durable
  // yet: they end at or behind `upto_seq`, and what is missing before them is read from the store.
  // Thread-safe.
  // `spec`: of the version that the task pins.
  Result<std::shared_ptr<const Transcript>> at(const TaskId& task, const std::string& tenant,
                                               const AgentSpec& spec, Seq upto_seq,
                                               std::span<const Record> news);

  // Makes the next snapshot of the last one and the durable frames behind it that end at or before
  // `upto_seq`. Its size; 0: there is none, or nothing to add. Grows with what is read.
  Result<uint64_t> write_snapshot(const TaskId& task, const std::string& tenant,
                                  const AgentSpec& spec, Seq upto_seq);

 private:
  using Order = std::list<TaskId>;
  struct Entry {
    std::shared_ptr<const Transcript> transcript;
    Order::iterator place;
    uint64_t bytes = 0;
  };

  std::shared_ptr<const Transcript> cached(const TaskId& task, Seq upto_seq);
  // As the snapshot has it, if the journal does and it goes no further than `upto_seq`; otherwise
  // as it is before the first record.
  Result<Transcript> begin(const TaskId& task, const std::string& tenant, const AgentSpec& spec,
                           Seq upto_seq);
  void keep(const TaskId& task, std::shared_ptr<const Transcript> transcript);

  StoreReader& store_;
  Blobs& blobs_;
  Snapshots* const snapshots_;
  engine::DamageWatch* watch_ = nullptr;
  const size_t tasks_max_;
  const uint64_t bytes_max_;
  std::mutex mutex_;
  std::map<TaskId, Entry> entries_;
  Order order_;  // the longest unused first
  uint64_t bytes_ = 0;
};

}  // namespace perdure::runtime
