// GET /v1/tools and POST /v1/tools/{server}/accept
#include <algorithm>

#include "api/problem.h"
#include "api/routes.h"
#include "base/json_text.h"
#include "base/log.h"
#include "base/percent.h"
#include "journal/json_writer.h"

namespace perdure::api {
namespace {

constexpr size_t kSchemaMaxBytes = 64u << 20;

json::value or_null(const std::string& text) {
  return text.empty() ? json::value() : json::value(text);
}

json::value schema_json(const std::string& text) {
  if (text.empty()) return nullptr;
  auto schema = parse_json(text, "schema", {.size_bytes = kSchemaMaxBytes});
  return schema ? std::move(*schema) : json::value();
}

// All that is pinned of a tool, under the words of this API.
json::object definition_json(const std::string& text) {
  const json::value parsed = schema_json(text);
  json::object out;
  for (const auto& [name, value] : parsed.is_object() ? parsed.get_object() : json::object()) {
    if (name != "name") out[name == "inputSchema" ? "input_schema" : name] = value;
  }
  return out;
}

json::object tool_json(const ToolEntry& tool) {
  json::array identity;
  for (const std::string& pointer : tool.rules.identity) identity.emplace_back(pointer);
  json::object out{{"name", tool.name},
                   {"kind", tool.kind},
                   {"server", or_null(tool.server)},
                   {"description", tool.description},
                   {"approval", tool.rules.ask ? "always" : "never"},
                   {"declared", tool.rules.declared},
                   {"contract", JsonWriter::make(tool.rules.contract)},
                   {"identity", std::move(identity)},
                   {"input_schema", schema_json(tool.input_schema)},
                   {"state", to_string(tool.state)},
                   {"why", or_null(tool.why)},
                   {"sha256", or_null(tool.sha256)},
                   {"offered_sha256", or_null(tool.offered_sha256)}};
  if (tool.state != ToolState::kChanged) return out;
  out["accepted"] = definition_json(tool.definition);
  out["offered"] = definition_json(tool.offered_definition);
  return out;
}

json::object server_json(const ToolServerEntry& server) {
  return {{"name", server.name},
          {"kind", server.kind},
          {"connected", server.connected},
          {"why", or_null(server.why)},
          {"version", or_null(server.version)},
          {"offered_sha256", or_null(server.offered_sha256)},
          {"not_accepted", server.not_accepted}};
}

}  // namespace

Response list_tools(Context& context, const Call& call) {
  QueryReader query(call.query());
  const std::string after = query.text("cursor").value_or("");
  const uint64_t limit = query.page_limit();
  ANSWER_STATUS(query.finish());
  // First the servers: whoever accepts by their hashes what changed since is refused.
  json::array servers;
  for (const ToolServerEntry& server : context.parts.tools.servers()) {
    servers.push_back(server_json(server));
  }
  const std::vector<ToolEntry> all = context.parts.tools.tools();
  json::array tools;
  auto tool = std::upper_bound(all.begin(), all.end(), after,
                               [](const auto& name, const auto& one) { return name < one.name; });
  for (; tool != all.end() && tools.size() < limit; ++tool) tools.push_back(tool_json(*tool));
  json::value next;
  if (tool != all.end()) next = std::prev(tool)->name;
  return json_response(200, json_text(json::object{{"tools", std::move(tools)},
                                                   {"servers", std::move(servers)},
                                                   {"next_cursor", next}}));
}

Response accept_tools(Context& context, const Call& call) {
  if (!call.who->every_tenant) {
    return problem(403, "foreign_tenant",
                   "the tools of every tenant change with this: only the token of the data "
                   "directory accepts them");
  }
  auto body = body_of(context, call);
  if (!body) return std::move(body.error());
  ObjectReader in(*body, "body");
  const std::string seen = in.string("offered_sha256", "");
  if (in.has("offered_sha256") && seen.empty()) in.fail_at("offered_sha256", "is empty");
  ANSWER_STATUS(in.finish());
  const auto server = percent_decode(call.segment(2));
  if (!server) return problem(404, "not_found", "this is not the name of a server");
  ANSWER_ASSIGN(const std::vector<std::string> names, context.parts.tools.accept(*server, seen));
  json::array tools;
  std::string listed;
  for (const std::string& name : names) {
    tools.emplace_back(name);
    listed += (listed.empty() ? "" : ", ") + name;
  }
  log(LogLevel::kInfo, "mcp.accepted",
      {{"server", *server}, {"tools", std::move(listed)}, {"by", call.who->principal}});
  return json_response(200,
                       json_text(json::object{{"server", *server}, {"tools", std::move(tools)}}));
}

}  // namespace perdure::api
