#pragma once
// Brings the bytes of payloads that stand elsewhere: in the blob store, or within another record.
#include <string>

#include "engine/damage.h"
#include "ports/blobs.h"
#include "ports/store.h"

namespace perdure::engine {

class PayloadReader {
 public:
  PayloadReader(StoreReader& store, Blobs& blobs, std::string tenant, const TaskId& task,
                DamageWatch* watch = nullptr)
      : store_(store), blobs_(blobs), tenant_(std::move(tenant)), task_(task), watch_(watch) {}

  // Afterwards the payload has its bytes, unless it was erased. Bytes that are not what was written
  // are kCorrupt: they were read twice then, and `watch` was told.
  Status complete(Payload& payload);
  // A payload larger than `max_bytes` has none afterwards, wherever it stood.
  Status complete(Payload& payload, size_t max_bytes);

 private:
  Status fetch(Payload& payload, int depth);
  Status fetch_within(Payload& payload, int depth);

  StoreReader& store_;
  Blobs& blobs_;
  const std::string tenant_;
  const TaskId task_;
  DamageWatch* watch_;
};

}  // namespace perdure::engine
