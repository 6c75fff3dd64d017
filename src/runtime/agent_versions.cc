#include "runtime/agent_versions.h"

#include <cstring>

#include "base/hash.h"
#include "base/text.h"
#include "ports/planner.h"

namespace perdure::runtime {
namespace {

// Agents are the operator's, and no tenant's.
constexpr const char* kAgentsTenant = "";

}  // namespace

Status AgentVersions::add(AgentSpec spec) {
  const std::string content = agent_content(spec);
  const Sha256 hash = sha256(content);
  TRY_STATUS(blobs_.put(kAgentsTenant, hash, content));
  AgentEntry entry{spec.name, to_hex(hash.view()), std::string(kAgentPlanner), spec.limits};
  by_version_[entry.version] = std::make_shared<const AgentSpec>(std::move(spec));
  current_[entry.name] = std::move(entry);
  return {};
}

void AgentVersions::add_plain(const std::string& name, PlainAgent agent) {
  current_[name] = {name, "", std::move(agent.planner), agent.limits};
}

std::optional<AgentEntry> AgentVersions::find(const std::string& name) const {
  const auto found = current_.find(name);
  if (found == current_.end()) return std::nullopt;
  return found->second;
}

std::vector<std::string> AgentVersions::names() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : current_) names.push_back(name);
  return names;
}

Result<std::shared_ptr<const AgentSpec>> AgentVersions::spec(const std::string& version) {
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = by_version_.find(version); found != by_version_.end()) {
      return found->second;
    }
  }
  const auto bytes = from_hex(version);
  Sha256 hash;
  if (!bytes || bytes->size() != hash.bytes.size()) {
    return fail(Code::kNotFound, "'" + version + "' is not a version of an agent");
  }
  std::memcpy(hash.bytes.data(), bytes->data(), bytes->size());
  TRY_ASSIGN(const std::string content, blobs_.get(kAgentsTenant, hash));
  TRY_ASSIGN(AgentSpec spec, agent_from_content(content));
  auto shared = std::make_shared<const AgentSpec>(std::move(spec));
  const std::lock_guard lock(mutex_);
  return by_version_[version] = shared;
}

}  // namespace perdure::runtime
