#include "runtime/agent_catalog.h"

#include <fmt/core.h>

#include <algorithm>

#include "agent/agent_file.h"
#include "base/log.h"
#include "base/text.h"
#include "ports/planner.h"

namespace perdure::runtime {
namespace {

constexpr const char* kKind = "agent";
constexpr size_t kPageRows = 1000;

bool is_name_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
         c == '_' || c == '.';
}

// It stands in paths, and before the number in its row's name.
Status check_put_name(const std::string& name) {
  const bool good = !name.empty() && name.size() <= kNameMaxBytes &&
                    std::all_of(name.begin(), name.end(), is_name_character);
  if (good) return {};
  return fail(Code::kInvalid,
              fmt::format("the name of an agent: expected 1 to {} of the characters a-z, A-Z, 0-9, "
                          "'-', '_' and '.'",
                          kNameMaxBytes));
}

// The file says its name too, as it does on disk, or leaves it out.
Result<AgentSpec> read_file(const std::string& name, const json::value& file,
                            const std::vector<ToolDeclaration>& offered) {
  if (!file.is_object()) return fail(Code::kInvalid, "agent: expected an object");
  json::object with_name = file.get_object();
  with_name.emplace("name", name);  // does nothing if it is there
  TRY_ASSIGN(AgentSpec spec, agent_from_file(with_name, offered));
  if (spec.name == name) return spec;
  return fail(Code::kInvalid,
              fmt::format("agent.name: is '{}', and the path names '{}'", spec.name, name));
}

// In the order of the numbers, for the eye: what is read is the number.
std::string row_name(const std::string& name, uint64_t number) {
  return fmt::format("{}/{:08}", name, number);
}

std::optional<uint64_t> number_in(const std::string& row_name) {
  const size_t slash = row_name.rfind('/');
  return slash == std::string::npos ? std::nullopt : parse_u64(row_name.substr(slash + 1));
}

std::string row_value(const AgentVersion& version) {
  return to_canonical_json(json::object{
      {"version", version.version}, {"at_ms", version.put_ms}, {"by", version.put_by}});
}

}  // namespace

Status AgentCatalog::add(const AgentSpec& spec) {
  TRY_ASSIGN(std::string version, versions_.add(spec));
  configured_[spec.name] = {spec.name, std::move(version), std::string(kAgentPlanner), spec.limits};
  return {};
}

void AgentCatalog::add_plain(const std::string& name, PlainAgent agent) {
  configured_[name] = {name, "", std::move(agent.planner), agent.limits};
}

Status AgentCatalog::load(StoreReader& store) {
  std::optional<KeptRow> last;
  for (;;) {
    TRY_ASSIGN(std::vector<KeptRow> rows, store.kept(kKind, last, kPageRows));
    for (const KeptRow& row : rows) {
      const Status known =
          row.damaged ? fail(Code::kCorrupt, "its row is not what was written") : read(row);
      if (known) continue;
      note_damaged(row);
      log(LogLevel::kError, "agent.damaged",
          {{"tenant", row.tenant}, {"version", row.name}, {"why", known.error().message}});
    }
    if (rows.size() < kPageRows) break;
    last = std::move(rows.back());
  }
  for (const auto& [key, put] : put_) {
    if (!configured_.contains(key.second)) continue;
    log(LogLevel::kWarn, "agent.hidden",
        {{"agent", key.second},
         {"tenant", key.first},
         {"why", "the operator's file has an agent of that name"}});
  }
  return {};
}

// An older version in the place of one that is damaged would be another agent than was put.
void AgentCatalog::note_damaged(const KeptRow& row) {
  const size_t slash = row.name.rfind('/');
  const std::lock_guard lock(mutex_);
  Put& put = put_[{row.tenant, row.name.substr(0, slash)}];
  const auto number = number_in(row.name).value_or(put.last_number + 1);
  put.last_number = std::max(put.last_number, number);
  put.damaged_number = std::max(put.damaged_number, number);
}

Status AgentCatalog::read(const KeptRow& row) {
  const std::string where = fmt::format("the stored agent '{}'", row.name);
  const size_t slash = row.name.rfind('/');
  const auto number = number_in(row.name);
  if (!number) return fail(Code::kCorrupt, where + ": its row is damaged");
  TRY_ASSIGN(const json::value value, parse_json(row.value, where));
  ObjectReader in(value, where);
  PutAgent agent;
  agent.name = row.name.substr(0, slash);
  agent.number = *number;
  agent.version.version = in.string("version");
  agent.version.planner = kAgentPlanner;
  agent.version.put_ms = in.integer("at_ms", 0, INT64_MAX);
  agent.version.put_by = in.string("by");
  TRY_STATUS(in.finish());
  agent.row = row;
  publish(agent);
  return {};
}

Error AgentCatalog::unknown(const std::string& tenant, const std::string& name) const {
  if (name.size() > kNameMaxBytes) return {Code::kNotFound, "no agent has such a long name"};
  return {Code::kNotFound,
          fmt::format("there is no agent '{}'{}", name, did_you_mean(name, names(tenant)))};
}

Result<AgentEntry> AgentCatalog::find(const std::string& tenant, const std::string& name) const {
  if (const auto found = configured_.find(name); found != configured_.end()) return found->second;
  TRY_STATUS(check_newest(tenant, name));
  TRY_ASSIGN(const std::vector<AgentVersion> known, versions(tenant, name));
  TRY_ASSIGN(const auto spec, versions_.spec(known.front().version));
  // What it names may have left the operator's file since it was put.
  if (const Status usable = offer_.check(*spec); !usable) {
    return fail(Code::kConflict, usable.error().message);
  }
  return AgentEntry{name, known.front().version, known.front().planner, spec->limits};
}

Status AgentCatalog::check_newest(const std::string& tenant, const std::string& name) const {
  const std::lock_guard lock(mutex_);
  const auto put = put_.find({tenant, name});
  if (put == put_.end() || !put->second.newest_is_damaged()) return {};
  return fail(Code::kCorrupt, fmt::format("the newest version of agent '{}' is damaged in the "
                                          "store: put it again",
                                          name));
}

std::vector<std::string> AgentCatalog::names(const std::string& tenant) const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : configured_) names.push_back(name);
  {
    const std::lock_guard lock(mutex_);
    for (auto put = put_.lower_bound({tenant, ""}); put != put_.end(); ++put) {
      if (put->first.first != tenant) break;
      if (!put->second.versions.empty()) names.push_back(put->first.second);
    }
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}

Result<std::vector<AgentVersion>> AgentCatalog::versions(const std::string& tenant,
                                                         const std::string& name) const {
  if (const auto found = configured_.find(name); found != configured_.end()) {
    return std::vector{AgentVersion{found->second.version, found->second.planner, true, 0, ""}};
  }
  std::vector<AgentVersion> out;
  {
    const std::lock_guard lock(mutex_);
    if (const auto put = put_.find({tenant, name}); put != put_.end()) {
      const auto& all = put->second.versions;
      for (auto one = all.rbegin(); one != all.rend(); ++one) out.push_back(one->second);
    }
  }
  if (out.empty()) return tl::unexpected(unknown(tenant, name));
  return out;
}

Result<std::string> AgentCatalog::content(const std::string& version) const {
  return versions_.content(version);
}

Result<std::vector<std::string>> AgentCatalog::warnings(const std::string& version) const {
  TRY_ASSIGN(const auto spec, versions_.spec(version));
  return offer_.warnings(*spec);
}

Result<PutAgent> AgentCatalog::prepare(const std::string& tenant, const std::string& name,
                                       const json::value& file, const std::string& by,
                                       int64_t now_ms) {
  TRY_STATUS(check_put_name(name));
  if (const auto found = configured_.find(name); found != configured_.end()) {
    const auto same = read_file(name, file, offer_.tools());
    if (same && version_of(*same) == found->second.version) {
      PutAgent agent;
      agent.name = name;
      agent.version = {found->second.version, found->second.planner, true, 0, {}};
      agent.unchanged = true;
      return agent;
    }
    return fail(Code::kConflict,
                fmt::format("the agent '{}' stands in the operator's file; change it there, or "
                            "choose another name",
                            name));
  }
  TRY_ASSIGN(const AgentSpec spec, read_file(name, file, offer_.tools()));
  TRY_STATUS(offer_.check(spec));
  if (!put_versions_.has_room(tenant)) {
    return fail(
        Code::kExhausted,
        fmt::format("this tenant has put as many versions of agents as one tenant may while "
                    "{} of {} are kept; the operator's file takes more",
                    put_versions_.used(), put_versions_.total()));
  }
  TRY_ASSIGN(std::string version, versions_.add(spec));
  PutAgent agent;
  agent.name = name;
  agent.version = {std::move(version), std::string(kAgentPlanner), false, now_ms, by};
  const std::lock_guard lock(mutex_);
  Put& put = put_[{tenant, name}];
  agent.is_new = put.versions.empty();
  if (!agent.is_new && !put.newest_is_damaged() &&
      put.versions.rbegin()->second.version == agent.version.version) {
    agent.version = put.versions.rbegin()->second;
    agent.unchanged = true;
    return agent;
  }
  agent.number = ++put.last_number;
  agent.row = {kKind, tenant, row_name(name, agent.number), row_value(agent.version)};
  return agent;
}

void AgentCatalog::publish(const PutAgent& agent) {
  const std::lock_guard lock(mutex_);
  Put& put = put_[{agent.row.tenant, agent.name}];
  put.last_number = std::max(put.last_number, agent.number);
  put.versions[agent.number] = agent.version;
  put_versions_.add(agent.row.tenant);
}

}  // namespace perdure::runtime
