#pragma once
// Which agents tasks may be started with: those of the operator's file, which are everybody's, and
// those that clients put, each its tenant's. Thread-safe.
#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "journal/terms.h"
#include "ports/store.h"

namespace perdure {

struct AgentEntry {
  std::string name;
  std::string version;  // of its content; empty: its planner has none that we know
  std::string planner;  // which planner drives it, e.g. "agent", "script", or one that registers
                        // from outside
  Limits limits;        // of a task that says nothing else; a task may only tighten them
};

struct AgentVersion {
  std::string version;
  std::string planner;
  bool configured = false;  // in the operator's file: nobody put it
  int64_t put_ms = 0;
  std::string put_by;
};

// A version that was read and checked, and whose content is durable. Nobody sees it before its row
// is durable too and it is published.
struct PutAgent {
  std::string name;
  AgentVersion version;
  uint64_t number = 0;     // of the version, from 1: the highest one is current
  bool is_new = false;     // the first of its name
  bool unchanged = false;  // it is the current version: there is nothing to keep
  KeptRow row;
};

class Agents {
 public:
  virtual ~Agents() = default;
  // What a task of this tenant is started with now. kNotFound names the nearest; kConflict: it
  // names a model or a tool that is not configured any more.
  virtual Result<AgentEntry> find(const std::string& tenant, const std::string& name) const = 0;
  virtual std::vector<std::string> names(const std::string& tenant) const = 0;  // sorted
  // The current one first, then as they were put, the newest first. kNotFound: no such agent.
  virtual Result<std::vector<AgentVersion>> versions(const std::string& tenant,
                                                     const std::string& name) const = 0;
  // Canonical JSON of one of `versions`.
  virtual Result<std::string> content(const std::string& version) const = 0;
  // What one of them says and does not get of its operator: a sentence each.
  virtual Result<std::vector<std::string>> warnings(const std::string& version) const = 0;

  // `file`: an agent file as JSON. kConflict: the name stands in the operator's file, with another
  // content.
  virtual Result<PutAgent> prepare(const std::string& tenant, const std::string& name,
                                   const json::value& file, const std::string& by,
                                   int64_t now_ms) = 0;
  virtual void publish(const PutAgent& agent) = 0;
};

}  // namespace perdure
