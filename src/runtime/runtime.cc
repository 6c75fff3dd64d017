#include "runtime/runtime.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>

#include "agent/agent_file.h"
#include "agent/turn_parts.h"
#include "base/assert.h"
#include "base/log.h"
#include "base/text.h"
#include "engine/snapshots.h"
#include "model/codec.h"
#include "runtime/agent_planner.h"
#include "runtime/script_planner.h"
#include "runtime/transcripts.h"
#include "tool/call_place.h"
#include "tool/http_executor.h"
#include "tool/shell_executor.h"

namespace perdure::runtime {
namespace {

constexpr size_t kTranscriptsMax = 2'000;
constexpr uint64_t kTranscriptsMaxBytes = 64u << 20;

ToolEntry entry_of(const HttpToolConfig& tool, const Masker& masker) {
  ToolEntry entry;
  entry.name = tool.name;
  entry.kind = "http";
  entry.description = tool.description;
  entry.input_schema = tool.input_schema;
  entry.rules = {tool.contract, tool.approval == Verdict::kAsk, tool.identity, tool.check};
  entry.to = masker.mask(tool.method + " " + shown_url(tool.url));
  entry.key_in = (tool.key_in == KeyIn::kHeader ? "header " : "argument ") + tool.key_name;
  return entry;
}

ToolEntry entry_of(const ShellToolConfig& tool) {
  ToolEntry entry;
  entry.name = tool.name;
  entry.kind = "shell";
  entry.description = tool.description;
  entry.input_schema = input_schema(tool);
  entry.rules = {tool.contract, tool.approval == Verdict::kAsk, tool.identity, tool.check};
  entry.to = "a shell in " + tool.workspace;
  return entry;
}

ModelRules rules_of(const ModelConfig& model) {
  ModelRules rules;
  rules.contract.effect = EffectClass::kRepeat;
  rules.contract.max_attempts = model.max_attempts;
  rules.contract.backoff_ms = model.backoff_ms;
  rules.contract.backoff_max_ms = model.backoff_max_ms;
  rules.price = model.price;
  rules.max_output_tokens = model.max_output_tokens;
  return rules;
}

// References to its secrets, which are no secrets themselves.
std::string credential_of(const ModelConfig& model) {
  std::string references;
  for (const std::string& each : codec_of(model.provider).secret_references(model)) {
    references += (references.empty() ? "" : ", ") + each;
  }
  return references;
}

Status check_name(const std::string& agent, std::string_view what, const std::string& name,
                  const std::vector<std::string>& names) {
  if (std::find(names.begin(), names.end(), name) != names.end()) return {};
  return fail(Code::kInvalid, fmt::format("agent '{}': there is no {} '{}'{}", agent, what, name,
                                          did_you_mean(name, names)));
}

// A tool server's schemas are not the operator's to correct.
void warn_if_unchecked(const AgentSpec& agent, const ToolDeclaration& tool) {
  if (tool.input_schema.empty() || agent.input_schemas.contains(tool.name)) return;
  const auto compiled = JsonSchema::compile(tool.input_schema, "input_schema");
  log(LogLevel::kWarn, "agent.unchecked_arguments",
      {{"agent", agent.name},
       {"tool", tool.name},
       {"why", compiled ? std::string() : compiled.error().message}});
}

// It may be about a tool that comes later; a rule that denies, and is misspelt, denies nothing.
void warn_of_idle_rules(const std::vector<PolicyRule>& rules,
                        const std::vector<std::string>& tools) {
  for (const std::string& name : names_of_no_tool(rules, tools)) {
    const auto nearest = nearest_word(name, tools);
    log(LogLevel::kWarn, "policy.no_tool", {{"tool", name}, {"nearest", nearest.value_or("")}});
  }
}

// A limit of money that nobody counts against is none.
Status check_price(const AgentSpec& agent, const std::string& model, const ModelPrice& price) {
  if (price.known || agent.limits.cost_micro_usd == kUnlimited) return {};
  return fail(Code::kInvalid,
              fmt::format("agent '{}' limits cost_usd, and the price of model '{}' is not known; "
                          "give models.{} a price_per_mtok, all 0 if it costs nothing, or name a "
                          "file of prices",
                          agent.name, model, model));
}

}  // namespace

struct Runtime::Impl {
  Impl(Setup given, Outside given_outside)
      : setup(std::move(given)),
        outside(std::move(given_outside)),
        versions(outside.blobs),
        agents(versions,
               {[this] { return router.offered(); },
                [this](const AgentSpec& agent) { return check(agent); },
                [this](const AgentSpec& agent) { return limits_without_effect(agent, terms); }}),
        transcripts(outside.store, outside.blobs, outside.snapshots, kTranscriptsMax,
                    kTranscriptsMaxBytes),
        policy(model_rules, router, setup.policy, versions),
        agent_planner(versions, transcripts, terms, outside.spawn),
        buckets(outside.clock, outside.timers),
        models(providers, bucket_names, buckets, versions, transcripts, outside.secrets.masker(),
               outside.spawn,
               [this](const TaskId& task, const StepId& step, uint32_t attempt,
                      std::string_view text) {
                 if (on_delta) on_delta(task, step, attempt, text);
               }),
        http_tools(outside.http, outside.clock, outside.secrets, setup.tools) {}

  Status assemble();
  Status check(const AgentSpec& agent) const;
  Status assemble_servers();
  Status read_agents();
  Planner* planner(const std::string& name);

  Setup setup;
  Outside outside;
  AgentVersions versions;
  AgentCatalog agents;
  Transcripts transcripts;
  Models model_rules;
  ToolRouter router;
  KnownModels terms;
  Providers providers;
  BucketNames bucket_names;
  ContractPolicy policy;
  AgentPlanner agent_planner;
  ScriptPlanner script_planner;
  std::function<Planner*(const std::string&)> find_remote;
  OnDelta on_delta;
  RateBuckets buckets;
  ModelExecutor models;
  HttpToolExecutor http_tools;
  std::optional<ShellToolExecutor> shell_tools;
  std::vector<std::unique_ptr<McpExecutor>> servers;
  std::string never_seen;  // servers whose tools are not known, and why
  Executor* tool_executor = &router;
  std::unique_ptr<engine::Engine> engine;
};

Status Runtime::Impl::assemble() {
  for (const ModelConfig& model : setup.models) {
    TRY_ASSIGN(providers[model.name],
               make_provider(model, outside.http, outside.clock, outside.model_keys));
    bucket_names[model.name] = bucket_of(model);
    model_rules[model.name] = rules_of(model);
    terms[model.name] = {model.price, model.max_output_tokens, credential_of(model)};
  }
  const Masker masker = outside.secrets.masker();
  for (const HttpToolConfig& tool : setup.tools) {
    TRY_STATUS(perdure::check(tool));
    router.add(entry_of(tool, masker), &http_tools);
  }
  if (!setup.shell_tools.empty()) {
    PERDURE_ASSERT(outside.processes != nullptr, "who configures a shell can run processes");
    shell_tools.emplace(*outside.processes, outside.secrets, setup.hidden, setup.shell_tools,
                        setup.shell_room, outside.free_bytes);
  }
  for (const ShellToolConfig& tool : setup.shell_tools) {
    TRY_STATUS(perdure::check(tool));
    router.add(entry_of(tool), &*shell_tools);
  }
  TRY_STATUS(assemble_servers());
  warn_of_idle_rules(setup.policy, router.names());
  TRY_STATUS(read_agents());
  for (const AgentSpec& agent : setup.agents) {
    TRY_STATUS(check(agent));
    for (const std::string& why : limits_without_effect(agent, terms)) {
      log(LogLevel::kWarn, "agent.limit_without_effect", {{"agent", agent.name}, {"why", why}});
    }
    TRY_STATUS(agents.add(agent));
  }
  for (const auto& [name, agent] : setup.plain_agents) agents.add_plain(name, agent);
  TRY_STATUS(agents.load(outside.store));
  engine::World world{
      outside.store,
      outside.blobs,
      outside.clock,
      outside.rng,
      policy,
      [this](const std::string& name) { return planner(name); },
      [this](CallKind kind) -> Executor* {
        return kind == CallKind::kModel ? &models : tool_executor;
      },
      outside.on_store_failure,
      outside.load != nullptr ? outside.load : outside.spawn,
      outside.snapshots,
  };
  engine = std::make_unique<engine::Engine>(std::move(world), setup.engine);
  transcripts.tell(*engine);
  if (outside.snapshots != nullptr) {
    const Spawn& apart = outside.load != nullptr ? outside.load : outside.spawn;
    apart([this] { engine::sweep_snapshots(outside.store, *outside.snapshots); });
  }
  return engine->load_damage();
}

Status Runtime::Impl::check(const AgentSpec& agent) const {
  std::vector<std::string> model_names;
  for (const auto& [name, rules] : model_rules) model_names.push_back(name);
  for (const std::string& model : agent.models) {
    TRY_STATUS(check_name(agent.name, "model", model, model_names));
    TRY_STATUS(check_price(agent, model, terms.at(model).price));
  }
  const std::vector<std::string> tool_names = router.names();
  for (const ToolDeclaration& tool : agent.tools) {
    if (agent.has_builtin(tool.name)) continue;
    TRY_STATUS(check_name(agent.name, "tool", tool.name, tool_names));
    warn_if_unchecked(agent, tool);
  }
  return {};
}

Status Runtime::Impl::assemble_servers() {
  for (const McpServerConfig& config : setup.mcp) {
    PERDURE_ASSERT(
        outside.processes != nullptr && outside.timers != nullptr && outside.pins != nullptr,
        "who configures tool servers gives what they need");
    TRY_ASSIGN(auto server,
               McpExecutor::make(config, {outside.http, *outside.processes, *outside.timers,
                                          outside.clock, *outside.pins, outside.spawn,
                                          outside.secrets, setup.hidden, outside.version}));
    router.add_server(config.name, *server);
    servers.push_back(std::move(server));
  }
  for (const auto& server : servers) server->open();
  for (const auto& server : servers) {
    const Status known = server->wait_until_known();
    if (known) continue;
    log(LogLevel::kError, "mcp.unknown", {{"why", known.error().message}});
    never_seen += "; " + known.error().message;
  }
  return {};
}

Status Runtime::Impl::read_agents() {
  const std::vector<ToolDeclaration> offered = router.offered();
  for (const AgentFile& file : setup.agent_files) {
    auto spec = agent_from_file(file.document, offered);
    if (!spec) {
      return fail(spec.error().code, file.path + ": " + spec.error().message + never_seen);
    }
    if (spec->name != file.name) {
      return fail(Code::kInvalid, fmt::format("{}: its name is '{}', and it is configured as '{}'",
                                              file.path, spec->name, file.name));
    }
    setup.agents.push_back(std::move(*spec));
  }
  return {};
}

Planner* Runtime::Impl::planner(const std::string& name) {
  if (name == kAgentPlanner) return &agent_planner;
  if (name == kScriptPlanner) return &script_planner;
  return find_remote ? find_remote(name) : nullptr;
}

Result<std::unique_ptr<Runtime>> Runtime::make(Setup setup, Outside outside) {
  auto impl = std::make_unique<Impl>(std::move(setup), std::move(outside));
  TRY_STATUS(impl->assemble());
  return std::unique_ptr<Runtime>(new Runtime(std::move(impl)));
}

Runtime::Runtime(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Runtime::~Runtime() = default;

engine::Engine& Runtime::engine() {
  return *impl_->engine;
}
AgentCatalog& Runtime::agents() {
  return impl_->agents;
}
ToolCatalog& Runtime::tools() {
  return impl_->router;
}
const Setup& Runtime::setup() const {
  return impl_->setup;
}
void Runtime::set_remote_planners(std::function<Planner*(const std::string&)> find) {
  impl_->find_remote = std::move(find);
}
void Runtime::set_tool_executor(Executor* executor) {
  impl_->tool_executor = executor;
}
void Runtime::add_tool(const std::string& name, ToolRules rules) {
  ToolEntry entry;
  entry.name = name;
  entry.rules = std::move(rules);
  impl_->router.add(std::move(entry), nullptr);
}
void Runtime::stop_waiting() {
  if (impl_->shell_tools) impl_->shell_tools->stop_waiting();
}
void Runtime::close_tools() {
  for (const auto& server : impl_->servers) server->close();
}
void Runtime::set_on_delta(OnDelta on_delta) {
  impl_->on_delta = std::move(on_delta);
}

}  // namespace perdure::runtime
