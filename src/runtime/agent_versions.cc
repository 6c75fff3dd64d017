#include "runtime/agent_versions.h"

#include "base/hash.h"
#include "base/text.h"

namespace perdure::runtime {
namespace {

// A version is the hash of its content: it is no tenant's, and nobody who cannot name it can read
// it.
constexpr const char* kAgentsTenant = "";

}  // namespace

std::string version_of(const AgentSpec& spec) {
  return to_hex(sha256(agent_content(spec)).view());
}

Result<std::string> AgentVersions::add(const AgentSpec& spec) {
  const std::string content = agent_content(spec);
  const Sha256 hash = sha256(content);
  TRY_STATUS(blobs_.put(kAgentsTenant, hash, content));
  std::string version = to_hex(hash.view());
  remember(version, std::make_shared<const AgentSpec>(spec), content.size());
  return version;
}

Result<std::shared_ptr<const AgentSpec>> AgentVersions::spec(const std::string& version) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = by_version_.find(version); found != by_version_.end()) {
      return found->second;
    }
  }
  TRY_ASSIGN(const std::string text, content(version));
  TRY_ASSIGN(AgentSpec spec, agent_from_content(text));
  auto shared = std::make_shared<const AgentSpec>(std::move(spec));
  remember(version, shared, text.size());
  return shared;
}

Result<std::string> AgentVersions::content(const std::string& version) {
  const auto hash = parse_sha256(version);
  if (!hash) return fail(Code::kNotFound, "'" + version + "' is not a version of an agent");
  Result<std::string> text = blobs_.get(kAgentsTenant, *hash);
  if (!text && text.error().code == Code::kNotFound) {
    return fail(Code::kCorrupt, "the content of an agent is missing: " + text.error().message);
  }
  return text;
}

void AgentVersions::remember(const std::string& version, std::shared_ptr<const AgentSpec> spec,
                             size_t bytes) {
  const std::lock_guard lock(mutex_);
  if (remembered_bytes_ + bytes > kRememberedMaxBytes) {
    by_version_.clear();
    remembered_bytes_ = 0;
  }
  if (by_version_.insert_or_assign(version, std::move(spec)).second) remembered_bytes_ += bytes;
}

}  // namespace perdure::runtime
