#include "shop.h"

#include "agent/agent_spec.h"
#include "background_host.h"
#include "web.h"

namespace perdure::sim {
namespace {

constexpr int64_t kTotalMs = 10'000;
// A request may arrive until twice its total timeout has passed, and the wall may jump by seconds.
constexpr int64_t kMarginMs = 3 * kTotalMs;

HttpToolConfig tool(std::string name, EffectClass effect, Verdict approval, Dice& dice) {
  HttpToolConfig config;
  config.name = std::move(name);
  config.description = "a tool";
  config.url = "https://" + config.name + ".sim/do";
  config.approval = approval;
  config.contract.effect = effect;
  config.contract.max_attempts = static_cast<uint32_t>(dice.between(1, 5));
  config.contract.backoff_ms = dice.one_of<int64_t>({0, 500, 5'000});
  config.contract.backoff_max_ms = 60'000;
  if (effect == EffectClass::kIdempotent) {
    config.contract.margin_ms = kMarginMs;
    config.contract.horizon_ms = kMarginMs + dice.one_of<int64_t>({2'000, 15'000, 3'600'000});
  }
  config.timeouts = {
      .connect_ms = 1'000, .first_byte_ms = kTotalMs, .gap_ms = kTotalMs, .total_ms = kTotalMs};
  return config;
}

AgentSpec agent(Dice& dice) {
  AgentSpec spec;
  spec.name = kAgentName;
  spec.models = {std::string(kModelName)};
  spec.instructions = "Do what is asked.";
  for (const char* name : {"idem", "once", "once_ask", "read"}) {
    spec.tools.push_back({name, "a tool", R"({"type":"object"})"});
  }
  if (dice.chance(300)) spec.always_ask = {"once"};
  spec.max_output_tokens = 100;
  spec.limits.turns = dice.one_of<int64_t>({kUnlimited, 3, 8});
  spec.mark = agent_mark(spec);
  return spec;
}

Asking asking(Dice& dice) {
  Asking asking;
  asking.assignees = {"ann"};
  asking.expires_ms = dice.one_of<int64_t>({0, 3'000, 60'000, 3'600'000});
  asking.on_expire =
      dice.one_of({OnExpire::kReject, OnExpire::kApprove, OnExpire::kRespond, OnExpire::kFail});
  asking.respond_with = "nobody is here";
  if (dice.chance(500)) asking.remind_ms = {1'000, 2'000};
  if (dice.chance(500)) {
    asking.escalate_ms = 1'500;
    asking.escalate_to = {"group:ops"};
  }
  return asking;
}

// What no call may carry, though a person wants it; all else is as the tools say.
runtime::PolicyRule forbidden() {
  runtime::PolicyRule rule;
  rule.where = {{"/order", runtime::Condition::Op::kExists, true},
                {"/order", runtime::Condition::Op::kEq, 9}};
  rule.then = Verdict::kDeny;
  return rule;
}

ModelConfig model(Dice& dice) {
  ModelConfig config;
  config.name = kModelName;
  config.base_url = "https://model.sim/v1";
  config.model = "m-1";
  config.max_output_tokens = 100;
  config.price = {1'000'000, 4'000'000};
  config.max_attempts = static_cast<uint32_t>(dice.between(1, 5));
  config.timeouts = {
      .connect_ms = 1'000, .first_byte_ms = 20'000, .gap_ms = 20'000, .total_ms = 20'000};
  return config;
}

ModelConfig background_model(ModelConfig config) {
  config.name = kBackgroundModel;
  config.provider = ModelConfig::Provider::kOpenAiResponses;
  config.base_url = kBackgroundUrl;
  config.background = true;
  return config;
}

}  // namespace

runtime::Setup make_setup(const Knobs& knobs, Dice& dice) {
  using enum EffectClass;
  runtime::Setup setup;
  setup.engine = knobs.engine;
  setup.models.push_back(model(dice));
  setup.models.push_back(background_model(setup.models.front()));
  setup.tools.push_back(tool("read", kRead, Verdict::kAllow, dice));
  setup.tools.push_back(tool("repeat", kRepeat, Verdict::kAllow, dice));
  setup.tools.push_back(tool("idem", kIdempotent, Verdict::kAllow, dice));
  setup.tools.push_back(tool("idem_ask", kIdempotent, Verdict::kAsk, dice));
  setup.tools.push_back(tool("idem_arg", kIdempotent, Verdict::kAllow, dice));
  setup.tools.back().key_in = KeyIn::kArgument;
  setup.tools.back().key_name = "/request_key";
  setup.tools.push_back(tool("probe", kProbe, Verdict::kAllow, dice));
  setup.tools.push_back(tool("once", kOnce, Verdict::kAllow, dice));
  setup.tools.push_back(tool("once_ask", kOnce, Verdict::kAsk, dice));
  setup.tools.push_back(tool("once_error", kOnce, Verdict::kAllow, dice));
  setup.tools.back().contract.on_doubt = OnDoubt::kError;
  setup.tools.push_back(tool("once_again", kOnce, Verdict::kAllow, dice));
  setup.tools.back().contract.repeat_allowed = true;
  setup.policy.push_back(forbidden());
  if (dice.chance(500)) {
    setup.engine.people.common = asking(dice);
    if (dice.chance(500)) setup.engine.people.of_tool["once_ask"] = asking(dice);
  }
  setup.agents.push_back(agent(dice));
  setup.plain_agents[std::string(kScriptAgent)] = {"script", {}};
  setup.plain_agents[std::string(kWildAgent)] = {std::string(kWildPlanner), {}};
  return setup;
}

std::vector<std::string> tool_names(const runtime::Setup& setup) {
  std::vector<std::string> names;
  for (const HttpToolConfig& config : setup.tools) {
    names.push_back(config.name);
    if (config.contract.effect >= EffectClass::kIdempotent) names.push_back(config.name);
  }
  return names;
}

}  // namespace perdure::sim
