#pragma once
// Brings the bytes of payloads that stand elsewhere: in the blob store, or within another record.
#include <string>

#include "ports/blobs.h"
#include "ports/store.h"

namespace perdure::engine {

class PayloadReader {
 public:
  PayloadReader(StoreReader& store, Blobs& blobs, std::string tenant, const TaskId& task)
      : store_(store), blobs_(blobs), tenant_(std::move(tenant)), task_(task) {}

  // Afterwards the payload has its bytes, unless it was erased.
  Status complete(Payload& payload) { return fetch(payload, 0); }
  // A payload larger than `max_bytes` has none afterwards, wherever it stood.
  Status complete(Payload& payload, size_t max_bytes);

 private:
  Status fetch(Payload& payload, int depth);
  Status fetch_within(Payload& payload, int depth);

  StoreReader& store_;
  Blobs& blobs_;
  const std::string tenant_;
  const TaskId task_;
};

}  // namespace perdure::engine
