#pragma once
// Tasks made from a seed: scripts that call tools of every contract, one after the other, in
// parallel and against timers, and now and then carry more bytes than a frame holds.
#include <cstdint>
#include <string>

#include "base/hash.h"

namespace perdure::crash {

struct Job {
  std::string tenant;
  std::string key;  // of idempotency
  std::string script;
};

// `large`: some of its payloads stand in blobs.
Job make_job(uint64_t seed, uint64_t index, bool large);

inline constexpr size_t kLargeBytes = 300 * 1024;  // beyond kInlinePayloadMaxBytes

// The bytes of a tool's result, which both sides can make: a JSON string.
std::string result_text(const std::string& nonce, size_t size_bytes);

}  // namespace perdure::crash
