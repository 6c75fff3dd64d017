#pragma once
// The content of agents, by the hash that is its version. A task pins the version of its agent:
// every version that was ever offered stays readable. Thread-safe.
#include <map>
#include <memory>
#include <mutex>
#include <string>

#include "agent/agent_spec.h"
#include "ports/blobs.h"

namespace perdure::runtime {

// The hash of its content, in hex.
std::string version_of(const AgentSpec& spec);

class AgentVersions {
 public:
  explicit AgentVersions(Blobs& blobs) : blobs_(blobs) {}

  // Keeps the content durably; its version. No version may be offered before.
  Result<std::string> add(const AgentSpec& spec);

  Result<std::shared_ptr<const AgentSpec>> spec(const std::string& version);
  Result<std::string> content(const std::string& version);

 private:
  void remember(const std::string& version, std::shared_ptr<const AgentSpec> spec, size_t bytes);

  // What is in memory may be read again at any time.
  static constexpr size_t kRememberedMaxBytes = 64u << 20;

  Blobs& blobs_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<const AgentSpec>> by_version_;
  size_t remembered_bytes_ = 0;
};

}  // namespace perdure::runtime
