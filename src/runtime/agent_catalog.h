#pragma once
// The agents by name: those of the operator's file and those that clients put, in one catalogue.
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "base/shares.h"
#include "ports/agents.h"
#include "runtime/agent_versions.h"

namespace perdure::runtime {

// An agent whose planner is not the agent loop.
struct PlainAgent {
  std::string planner;
  Limits limits;
};

// What the operator configured, as agents see it. Thread-safe.
struct Offer {
  std::function<std::vector<ToolDeclaration>()> tools;
  std::function<Status(const AgentSpec&)> check;  // the models and tools that it names exist
  std::function<std::vector<std::string>(const AgentSpec&)> warnings;  // as of Agents
};

class AgentCatalog : public Agents {
 public:
  AgentCatalog(AgentVersions& versions, Offer offer)
      : versions_(versions), offer_(std::move(offer)) {}

  // At start, before anything else: the operator's, then those that were put before.
  Status add(const AgentSpec& spec);
  void add_plain(const std::string& name, PlainAgent agent);
  Status load(StoreReader& store);

  Result<AgentEntry> find(const std::string& tenant, const std::string& name) const override;
  std::vector<std::string> names(const std::string& tenant) const override;
  Result<std::vector<AgentVersion>> versions(const std::string& tenant,
                                             const std::string& name) const override;
  Result<std::string> content(const std::string& version) const override;
  Result<std::vector<std::string>> warnings(const std::string& version) const override;
  Result<PutAgent> prepare(const std::string& tenant, const std::string& name,
                           const json::value& file, const std::string& by, int64_t now_ms) override;
  void publish(const PutAgent& agent) override;

 private:
  struct Put {
    std::map<uint64_t, AgentVersion> versions;  // the last one is current
    uint64_t last_number = 0;                   // given out, published or not
    uint64_t damaged_number = 0;                // the newest that cannot be read; 0: none
    bool newest_is_damaged() const {
      return damaged_number != 0 && (versions.empty() || versions.rbegin()->first < damaged_number);
    }
  };

  Status read(const KeptRow& row);
  void note_damaged(const KeptRow& row);
  Status check_newest(const std::string& tenant, const std::string& name) const;
  Error unknown(const std::string& tenant, const std::string& name) const;

  static constexpr size_t kPutVersionsMax = 100'000;

  AgentVersions& versions_;
  Offer offer_;
  std::map<std::string, AgentEntry> configured_;  // does not change after the start
  mutable std::mutex mutex_;
  std::map<std::pair<std::string, std::string>, Put> put_;  // by (tenant, name)
  Shares put_versions_{kPutVersionsMax};
};

}  // namespace perdure::runtime
