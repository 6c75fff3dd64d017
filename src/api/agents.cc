// GET /v1/agents, GET and PUT /v1/agents/{name}, GET /v1/agents/{name}/versions and /{version}
#include <algorithm>

#include "api/problem.h"
#include "api/routes.h"
#include "base/json_text.h"
#include "base/percent.h"
#include "base/text.h"

namespace perdure::api {
namespace {

Result<std::string> name_of(const Call& call) {
  auto name = percent_decode(call.segment(2));
  if (!name) return fail(Code::kNotFound, "this is not the name of an agent");
  return std::move(*name);
}

json::object version_json(const AgentVersion& version) {
  json::object out{{"version", nullptr},
                   {"planner", version.planner},
                   {"source", version.configured ? "file" : "api"},
                   {"created_at", nullptr},
                   {"created_by", nullptr}};
  if (!version.version.empty()) out["version"] = version.version;
  if (!version.configured) {
    out["created_at"] = to_rfc3339(version.put_ms);
    out["created_by"] = version.put_by;
  }
  return out;
}

json::object summary_json(const std::string& name, const AgentVersion& version) {
  json::object out{{"name", name}};
  for (const auto& member : version_json(version)) out.emplace(member.key(), member.value());
  return out;
}

// With the content, as far as there is any that we know.
Result<json::object> agent_json(Context& context, const std::string& name,
                                const AgentVersion& version) {
  const Agents& agents = context.parts.agents;
  json::object out = summary_json(name, version);
  out["content"] = nullptr;
  if (!version.version.empty()) {
    TRY_ASSIGN(const std::string text, agents.content(version.version));
    TRY_ASSIGN(out["content"], parse_json(text, "agent", {.size_bytes = 64u << 20}));
  }
  return out;
}

// The current version, and why no task can be started with it, if so.
Result<json::object> current_json(Context& context, const Call& call, const std::string& name) {
  const Agents& agents = context.parts.agents;
  TRY_ASSIGN(const std::vector<AgentVersion> versions, agents.versions(call.tenant(), name));
  TRY_ASSIGN(json::object out, agent_json(context, name, versions.front()));
  const auto usable = agents.find(call.tenant(), name);
  if (!usable && usable.error().code != Code::kConflict) return tl::unexpected(usable.error());
  out["problem"] = usable ? json::value() : json::value(usable.error().message);
  json::array warnings;
  if (const std::string& version = versions.front().version; !version.empty()) {
    TRY_ASSIGN(const std::vector<std::string> said, agents.warnings(version));
    for (const std::string& warning : said) warnings.emplace_back(warning);
  }
  out["warnings"] = std::move(warnings);
  return out;
}

void answer_put(Context& context, const Call& call, const PutAgent& agent) {
  const auto out = current_json(context, call, agent.name);
  if (!out) return call.responder->respond(problem(out.error()));
  call.responder->respond(json_response(agent.is_new ? 201 : 200, json_text(*out)));
}

}  // namespace

Response list_agents(Context& context, const Call& call) {
  QueryReader query(call.query());
  const std::string after = query.text("cursor").value_or("");
  const uint64_t limit = query.page_limit();
  ANSWER_STATUS(query.finish());
  const std::vector<std::string> names = context.parts.agents.names(call.tenant());
  json::array agents;
  json::value next;
  auto name = std::upper_bound(names.begin(), names.end(), after);
  for (; name != names.end() && agents.size() < limit; ++name) {
    ANSWER_ASSIGN(const auto versions, context.parts.agents.versions(call.tenant(), *name));
    agents.push_back(summary_json(*name, versions.front()));
  }
  if (name != names.end()) next = *std::prev(name);
  return json_response(
      200, json_text(json::object{{"agents", std::move(agents)}, {"next_cursor", next}}));
}

Response get_agent(Context& context, const Call& call) {
  QueryReader query(call.query());
  ANSWER_STATUS(query.finish());
  ANSWER_ASSIGN(const std::string name, name_of(call));
  ANSWER_ASSIGN(const json::object out, current_json(context, call, name));
  return json_response(200, json_text(out));
}

Response list_agent_versions(Context& context, const Call& call) {
  QueryReader query(call.query());
  const uint64_t after = query.number("cursor", 0, UINT32_MAX, 0);
  const uint64_t limit = query.page_limit();
  ANSWER_STATUS(query.finish());
  ANSWER_ASSIGN(const std::string name, name_of(call));
  ANSWER_ASSIGN(const auto versions, context.parts.agents.versions(call.tenant(), name));
  json::array out;
  // The cursor counts from the oldest: it stays where it is while others are put.
  size_t at = after == 0 ? 0 : versions.size() - std::min<size_t>(after, versions.size());
  for (; at < versions.size() && out.size() < limit; ++at) {
    out.push_back(version_json(versions[at]));
  }
  const size_t left = versions.size() - at;
  return json_response(
      200, json_text(json::object{
               {"versions", std::move(out)},
               {"next_cursor", left > 0 ? json::value(std::to_string(left)) : json::value()}}));
}

Response get_agent_version(Context& context, const Call& call) {
  QueryReader query(call.query());
  ANSWER_STATUS(query.finish());
  ANSWER_ASSIGN(const std::string name, name_of(call));
  ANSWER_ASSIGN(const auto versions, context.parts.agents.versions(call.tenant(), name));
  const auto wanted = std::find_if(versions.begin(), versions.end(), [&](const auto& version) {
    return !version.version.empty() && version.version == call.segment(4);
  });
  if (wanted == versions.end()) {
    return problem(404, "not_found", "this agent has no such version");
  }
  ANSWER_ASSIGN(const json::object out, agent_json(context, name, *wanted));
  return json_response(200, json_text(out));
}

// The content is durable before the row, and the row before the agent is seen. A crash between
// leaves a blob that nobody names.
void put_agent(Context& context, Call call) {
  const auto refuse = [&](Response response) { call.responder->respond(std::move(response)); };
  const auto name = name_of(call);
  if (!name) return refuse(problem(name.error()));
  if (auto full = no_room(context)) return refuse(std::move(*full));
  auto file = body_of(context, call);
  if (!file) return refuse(std::move(file.error()));
  auto agent = context.parts.agents.prepare(call.tenant(), *name, *file, call.who->principal,
                                            context.parts.clock.unix_ms());
  if (!agent) {
    const bool configured = agent.error().code == Code::kConflict;
    return refuse(configured ? problem(409, "agent_configured", agent.error().message)
                             : problem(agent.error()));
  }
  if (agent->unchanged) return answer_put(context, call, *agent);
  std::vector<KeptRow> rows{agent->row};
  context.parts.engine.keep(
      std::move(rows), [&context, call = std::move(call),
                        agent = std::move(*agent)](const Result<engine::Submitted>& kept) {
        if (!kept) return call.responder->respond(problem(kept.error()));
        context.parts.agents.publish(agent);
        context.later(call.tenant(), [&context, call, agent] { answer_put(context, call, agent); });
      });
}

}  // namespace perdure::api
