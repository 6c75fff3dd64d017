#pragma once
// Payloads on their way in.
#include <string>

#include "base/json.h"
#include "journal/payload.h"
#include "ports/blobs.h"

namespace perdure::api {

// Too large for a frame: durable in the blob store before the command that names it is put.
inline Status stow(Blobs& blobs, const std::string& tenant, Payload& payload) {
  if (payload.place != Payload::Place::kInline || payload.size_bytes <= kInlinePayloadMaxBytes) {
    return {};
  }
  TRY_STATUS(blobs.put(tenant, payload.hash, payload.view()));
  payload.place = Payload::Place::kBlob;
  return {};
}

}  // namespace perdure::api
