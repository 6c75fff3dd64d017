#include "server/config.h"

#include <fmt/core.h>

#include <filesystem>
#include <map>

#include "base/http_header.h"
#include "base/text.h"
#include "server/mcp_config.h"
#include "server/people_config.h"
#include "server/policy_config.h"
#include "server/sandbox_config.h"
#include "server/telemetry.h"
#include "server/toml.h"
#include "server/tool_config.h"

namespace perdure::server {
namespace {

// A "file:PATH" is beside the operator's file, and no child of ours may read it.
void settle_source(Config& config, const std::string& folder, std::string& source) {
  constexpr std::string_view kFile = "file:";
  if (!source.starts_with(kFile)) return;
  const std::string path = beside(folder, source.substr(kFile.size()));
  source = std::string(kFile) + path;
  config.private_files.push_back(std::filesystem::absolute(path).string());
}

Status read_server(Config& config, const json::value& table, const std::string& folder) {
  ObjectReader in(table, "server");
  const std::string listen = in.string("listen", "");
  const bool has_dir = in.has("data_dir");
  const std::string data_dir = in.string("data_dir", config.data_dir);
  if (has_dir) config.data_dir = beside(folder, data_dir);
  config.hosts = in.strings("hosts");
  config.origins = in.strings("origins");
  config.drain_ms = in.duration_ms("drain", config.drain_ms);
  config.planner_lease_ms = in.duration_ms("planner_lease", config.planner_lease_ms);
  config.disk_reserve_mib = static_cast<uint64_t>(
      in.integer("disk_reserve_mib", 0, 1 << 20, static_cast<int64_t>(config.disk_reserve_mib)));
  config.snapshots = in.boolean("snapshots", config.snapshots);
  TRY_STATUS(in.finish());
  return listen.empty() ? Status{} : set_listen(config, listen);
}

Status read_secrets(Config& config, const json::object& table, const std::string& folder) {
  for (const auto& [name, value] : table) {
    if (!value.is_string()) {
      return fail(Code::kInvalid, fmt::format("secrets.{}: expected \"env:NAME\" or \"file:PATH\"",
                                              std::string(name)));
    }
    std::string source(value.get_string());
    settle_source(config, folder, source);
    if (Status added = config.secrets.add_from(std::string(name), source); !added) {
      return fail(added.error().code,
                  fmt::format("secrets.{}: {}", std::string(name), added.error().message));
    }
  }
  return {};
}

Status read_tokens(Config& config, const json::object& table, const std::string& folder) {
  for (const auto& [name, value] : table) {
    ObjectReader in(value, "tokens." + std::string(name));
    TokenConfig token;
    token.name = name;
    token.source = in.string("token");
    token.tenant = in.string("tenant", token.tenant);
    token.scopes = in.strings("scopes");
    if (token.scopes.empty())
      in.fail_at("scopes", "is missing: some of run, approve, agents, plan, admin");
    TRY_STATUS(in.finish());
    settle_source(config, folder, token.source);
    config.tokens.push_back(std::move(token));
  }
  return {};
}

// What is told to models is stored as well: a secret that stands in it is masked like any other.
Result<json::value> masked(const Config& config, const json::value& value, std::string_view what) {
  return parse_json(config.secrets.masker().mask(to_json(value)), what);
}

Status read_agent(Config& config, const std::string& name, const json::value& value,
                  const std::string& folder) {
  // agents.NAME = "file.toml", or a table for an agent that another planner drives.
  if (value.is_string()) {
    const std::string path = beside(folder, std::string(value.get_string()));
    TRY_ASSIGN(json::value file, read_agent_toml(path));
    TRY_ASSIGN(file, masked(config, file, path));
    config.setup.agent_files.push_back({name, path, std::move(file)});
    return {};
  }
  ObjectReader in(value, "agents." + name);
  runtime::PlainAgent agent;
  agent.planner = in.string("planner");
  if (agent.planner == kAgentPlanner) in.fail_at("planner", "the agent loop needs an agent file");
  agent.limits.tool_calls = in.integer("tool_calls", 0, INT64_MAX, kUnlimited);
  agent.limits.model_calls = in.integer("model_calls", 0, INT64_MAX, kUnlimited);
  if (in.has("cost_usd")) {
    agent.limits.cost_micro_usd = micro_usd(in.number("cost_usd", 0, kPriceMaxUsdPerMtok, 0));
  }
  TRY_STATUS(in.finish());
  config.setup.plain_agents[name] = std::move(agent);
  return {};
}

// Headers are filled and judged now: later it is a call that fails.
Status check_headers(const HttpHeaders& headers, const std::string& url, bool allow_private,
                     const Secrets& secrets, const std::string& where) {
  for (const auto& [name, value] : headers) {
    const std::string place = fmt::format("{}.headers.{}: ", where, name);
    const auto filled = secrets.fill(value);
    if (!filled) return fail(filled.error().code, place + filled.error().message);
    if (const Status fits = check_http_header(name, *filled); !fits) {
      return fail(fits.error().code, place + fits.error().message);
    }
    if (*filled != value && url.starts_with("http://") && !allow_private) {
      return fail(Code::kInvalid, place +
                                      "a secret is sent over https only; for a server on your "
                                      "own network set allow_private = true");
    }
  }
  return {};
}

// `effects`: of the tools that the file declares.
Status read_people(PeopleRules& people, const json::value* common, const json::object& tools,
                   const std::map<std::string, EffectClass>& effects) {
  if (common != nullptr) {
    TRY_ASSIGN(people.common, read_asking(*common, "people", {}));
  }
  for (const auto& [name, effect] : effects) {
    const json::value* table = tools.at(name).as_object().if_contains("people");
    if (table == nullptr) continue;
    TRY_ASSIGN(people.of_tool[name],
               read_asking_of_tool(*table, "tools." + name + ".people", people.common, effect));
  }
  return {};
}

// By the provider's name of the model.
using Prices = std::map<std::string, ModelPrice>;

Result<Prices> read_prices(const std::string& path) {
  TRY_ASSIGN(const json::value file, read_toml(path));
  const json::object* tables = file.if_object();
  Prices prices;
  for (const auto& [name, table] : tables != nullptr ? *tables : json::object()) {
    auto price = parse_price(table, std::string(name));
    if (!price) return fail(price.error().code, path + ": " + price.error().message);
    prices[std::string(name)] = *price;
  }
  return prices;
}

Status read_models(Config& config, const json::object& tables, const std::string& price_file,
                   const std::string& folder) {
  Prices prices;
  if (!price_file.empty()) {
    TRY_ASSIGN(prices, read_prices(beside(folder, price_file)));
  }
  for (const auto& [name, table] : tables) {
    TRY_ASSIGN(ModelConfig model, parse_model_config(std::string(name), table));
    for (std::string* file : {&model.recording, &model.record_to}) {
      if (!file->empty()) *file = beside(folder, *file);
    }
    for (std::string* source : {&model.key, &model.aws.access_key_id, &model.aws.secret_access_key,
                                &model.aws.session_token}) {
      settle_source(config, folder, *source);
    }
    const auto listed = prices.find(model.model);
    if (!model.price.known && listed != prices.end()) model.price = listed->second;
    config.setup.models.push_back(std::move(model));
  }
  return {};
}

// The effects of the tools, by name.
using Effects = std::map<std::string, EffectClass>;

Result<Effects> read_tools(Config& config, const json::object& tables, const std::string& folder) {
  Effects effects;
  for (const auto& [name, given] : tables) {
    TRY_ASSIGN(const json::value table, masked(config, given, "tools"));
    TRY_ASSIGN(ToolConfig tool, parse_tool(std::string(name), table, folder));
    if (auto* shell = std::get_if<ShellToolConfig>(&tool)) {
      effects[shell->name] = shell->contract.effect;
      config.setup.shell_tools.push_back(std::move(*shell));
    } else {
      auto& http = std::get<HttpToolConfig>(tool);
      effects[http.name] = http.contract.effect;
      TRY_STATUS(check_headers(http.headers, http.url, http.allow_private, config.secrets,
                               "tools." + http.name + ".http"));
      config.setup.tools.push_back(std::move(http));
    }
  }
  return effects;
}

Status read_mcp(Config& config, const json::object& tables, const std::string& folder) {
  for (const auto& [name, table] : tables) {
    TRY_ASSIGN(McpServerConfig of_tools, parse_mcp(std::string(name), table, folder));
    TRY_STATUS(check_headers(of_tools.headers, of_tools.url, of_tools.allow_private, config.secrets,
                             "mcp." + of_tools.name));
    for (const auto& [variable, value] : of_tools.environment) {
      if (const auto filled = config.secrets.fill(value); !filled) {
        return fail(filled.error().code, fmt::format("mcp.{}.env.{}: {}", of_tools.name, variable,
                                                     filled.error().message));
      }
    }
    config.setup.mcp.push_back(std::move(of_tools));
  }
  return {};
}

Status read_document(Config& config, const json::value& document, const std::string& folder) {
  ObjectReader in(document, "configuration");
  const json::object none;
  const auto tables = [&](std::string_view name) -> const json::object& {
    const json::object* found = in.object(name);
    return found != nullptr ? *found : none;
  };
  const json::value* server = in.value("server");
  const json::object& secrets = tables("secrets");
  const json::object& tokens = tables("tokens");
  const json::value* telemetry = in.value("telemetry");
  const std::string price_file = in.string("prices", "");
  const json::object& models = tables("models");
  const json::object& tools = tables("tools");
  const json::object& mcp = tables("mcp");
  const json::object& agents = tables("agents");
  const json::value* sandbox = in.value("sandbox");
  const json::value* people = in.value("people");
  const json::array* policy = in.array("policy");
  TRY_STATUS(in.finish());
  if (server != nullptr) TRY_STATUS(read_server(config, *server, folder));
  ShellRoom& room = config.setup.shell_room;
  room = default_shell_room();
  room.disk_bytes = config.disk_reserve_mib << 20;
  if (sandbox != nullptr) TRY_STATUS(read_sandbox(room, *sandbox));
  TRY_STATUS(read_secrets(config, secrets, folder));
  TRY_STATUS(read_tokens(config, tokens, folder));
  if (telemetry != nullptr) {
    TRY_ASSIGN(config.telemetry, parse_telemetry(*telemetry));
    for (auto& [name, source] : config.telemetry.headers) settle_source(config, folder, source);
  }
  TRY_STATUS(read_models(config, models, price_file, folder));
  TRY_ASSIGN(const Effects effects, read_tools(config, tools, folder));
  TRY_STATUS(read_mcp(config, mcp, folder));
  PeopleRules& asked = config.setup.engine.people;
  TRY_STATUS(read_people(asked, people, tools, effects));
  for (const auto& [name, table] : mcp) {
    TRY_STATUS(read_people_of_server(asked, std::string(name), table.get_object()));
  }
  if (policy != nullptr) {
    std::vector<std::string> names;
    for (const auto& [name, effect] : effects) names.push_back(name);
    TRY_ASSIGN(config.setup.policy, read_policy(*policy, names));
  }
  for (const auto& [name, value] : agents) {
    TRY_STATUS(read_agent(config, std::string(name), value, folder));
  }
  return {};
}

}  // namespace

Status set_listen(Config& config, const std::string& listen) {
  const size_t colon = listen.rfind(':');
  const auto port = colon == std::string::npos ? std::nullopt : parse_u64(listen.substr(colon + 1));
  if (!port || *port > 65535) {
    return fail(Code::kInvalid, fmt::format("'{}' is not address:port", listen));
  }
  std::string address = listen.substr(0, colon);
  if (address.starts_with('[') && address.ends_with(']')) {
    address = address.substr(1, address.size() - 2);
  }
  config.address = address;
  config.port = static_cast<uint16_t>(*port);
  return {};
}

Result<Config> read_config(const std::string& path) {
  TRY_ASSIGN(const json::value document, read_toml(path));
  const std::string folder = std::filesystem::path(path).parent_path().string();
  Config config;
  config.private_files.push_back(std::filesystem::absolute(path).string());
  const Status read = read_document(config, document, folder.empty() ? "." : folder);
  if (!read) return fail(read.error().code, path + ": " + read.error().message);
  return config;
}

}  // namespace perdure::server
