#include "server/mcp_config.h"

#include <fmt/core.h>

#include <algorithm>

#include "server/toml.h"
#include "server/tool_terms.h"

namespace perdure::server {
namespace {

// In a sandbox a path means the same inside and outside: absolute.
std::vector<std::string> read_paths(ObjectReader& in, std::string_view name,
                                    const std::string& folder) {
  std::vector<std::string> paths = in.strings(name);
  for (std::string& path : paths) path = absolute_beside(folder, path);
  return paths;
}

// A list of names and patterns, or a table of them with more of the contract.
Status read_contracts(McpServerConfig& server, const json::value& value, EffectClass effect,
                      const std::string& where) {
  static const json::value kNothingMore = json::object();
  const std::string of_server = "mcp." + server.name + ".people";
  std::vector<std::pair<std::string, const json::value*>> entries;
  if (const json::array* list = value.if_array()) {
    for (const json::value& pattern : *list) {
      if (!pattern.is_string()) return fail(Code::kInvalid, where + ": expected names");
      entries.emplace_back(pattern.get_string(), &kNothingMore);
    }
  } else if (const json::object* table = value.if_object()) {
    for (const auto& [pattern, contract] : *table) entries.emplace_back(pattern, &contract);
  } else {
    return fail(Code::kInvalid,
                where + ": expected a list of tools, or a table of tool = {contract}");
  }
  for (const auto& [pattern, table] : entries) {
    ObjectReader in(*table, where + "." + pattern);
    McpContract contract;
    contract.pattern = pattern;
    const ToolTerms terms = read_terms(in, effect, false);
    contract.rules = {terms.contract, terms.approval == Verdict::kAsk, terms.identity, terms.check};
    contract.ask_is_said = in.has("approval");
    const json::value* retry = in.value("retry");
    in.value("people");  // read with all that is said about people
    if (in.has("people") && pattern.find('*') != std::string::npos) {
      in.fail_at("people", "a tool has it, by its name, or the whole server: [" + of_server + "]");
    }
    TRY_STATUS(in.finish());
    TRY_STATUS(read_retry(contract.rules.contract, retry, in.where() + ".retry"));
    // A call that leaves at the last moment must have arrived before the key is forgotten.
    Contract& says = contract.rules.contract;
    if (effect == EffectClass::kIdempotent && says.margin_ms == 0) says.margin_ms = server.call_ms;
    server.contracts.push_back(std::move(contract));
  }
  return {};
}

Status read_timeouts(McpServerConfig& server, const json::value& table, const std::string& where) {
  ObjectReader in(table, where);
  server.start_ms = in.duration_ms("start", server.start_ms);
  server.call_ms = in.duration_ms("call", server.call_ms);
  server.total_ms = in.duration_ms("total", std::max(server.total_ms, server.call_ms));
  if (server.total_ms < server.call_ms)
    in.fail_at("total", "is shorter than the timeout of a call");
  if (server.start_ms < 1 || server.call_ms < 1) in.fail_at("call", "a timeout is at least 1 ms");
  return in.finish();
}

// What makes sense for one of the two transports only.
void check_transport(const McpServerConfig& server, ObjectReader& in) {
  for (const char* name :
       {"args", "env", "workdir", "network", "writable", "readable", "unsafe_same_user"}) {
    if (!server.url.empty() && in.has(name)) in.fail_at(name, "only a command has it");
  }
  for (const char* name : {"headers", "allow_private"}) {
    if (!server.command.empty() && in.has(name)) in.fail_at(name, "only a url has it");
  }
}

}  // namespace

Result<McpServerConfig> parse_mcp(const std::string& name, const json::value& table,
                                  const std::string& folder) {
  const std::string where = "mcp." + name;
  McpServerConfig server;
  server.name = name;
  ObjectReader in(table, where);
  server.command = in.strings("command");
  for (std::string& word : in.strings("args")) server.command.push_back(std::move(word));
  server.url = in.string("url", "");
  server.environment = in.string_pairs("env");
  if (in.has("workdir")) server.workdir = absolute_beside(folder, in.string("workdir", ""));
  server.network = in.boolean("network", false);
  server.writable = read_paths(in, "writable", folder);
  server.readable = read_paths(in, "readable", folder);
  server.unsafe_same_user = in.boolean("unsafe_same_user", false);
  server.headers = in.string_pairs("headers");
  server.allow_private = in.boolean("allow_private", false);
  server.trust_annotations = in.boolean("trust_annotations", false);
  server.max_output_bytes = static_cast<size_t>(in.integer("max_output", 1, 16 << 20, 1 << 20));
  check_transport(server, in);
  in.value("people");  // read with all that is said about people
  const json::value* timeouts = in.value("timeouts");
  std::vector<std::tuple<const json::value*, EffectClass, std::string>> contracts;
  for (const EffectClass effect : kEffectClasses) {
    const std::string key(to_string(effect));
    if (const json::value* value = in.value(key)) {
      contracts.emplace_back(value, effect, where + "." + key);
    }
  }
  TRY_STATUS(in.finish());
  if (timeouts != nullptr) TRY_STATUS(read_timeouts(server, *timeouts, where + ".timeouts"));
  for (const auto& [value, effect, place] : contracts) {
    TRY_STATUS(read_contracts(server, *value, effect, place));
  }
  TRY_STATUS(check(server));
  return server;
}

}  // namespace perdure::server
