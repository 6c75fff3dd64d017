#include "agent/agent_spec.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/hash.h"
#include "base/json.h"
#include "base/text.h"

namespace perdure {
namespace {

constexpr size_t kMarkDigits = 16;

json::array to_array(const std::vector<std::string>& words) {
  json::array out;
  for (const std::string& word : words) out.emplace_back(word);
  return out;
}

Limits read_limits(const json::value& value, Status& status) {
  ObjectReader in(value, "agent.limits");
  Limits limits;
  limits.cost_micro_usd = in.integer("cost_micro_usd", kUnlimited, INT64_MAX);
  limits.model_calls = in.integer("model_calls", kUnlimited, INT64_MAX);
  limits.tool_calls = in.integer("tool_calls", kUnlimited, INT64_MAX);
  limits.turns = in.integer("turns", kUnlimited, INT64_MAX);
  status = in.finish();
  return limits;
}

Result<ToolDeclaration> read_tool(const json::value& value) {
  ObjectReader in(value, "agent.tools");
  ToolDeclaration tool;
  tool.name = in.string("name");
  tool.description = in.string("description");
  tool.input_schema = in.string("input_schema");
  TRY_STATUS(in.finish());
  return tool;
}

}  // namespace

const ToolDeclaration* AgentSpec::find_tool(std::string_view tool) const {
  const auto found =
      std::find_if(tools.begin(), tools.end(), [&](const auto& each) { return each.name == tool; });
  return found == tools.end() ? nullptr : &*found;
}

bool AgentSpec::asks_always(std::string_view tool) const {
  return std::find(always_ask.begin(), always_ask.end(), tool) != always_ask.end();
}

bool AgentSpec::has_builtin(std::string_view tool) const {
  return std::find(builtins.begin(), builtins.end(), tool) != builtins.end();
}

bool AgentSpec::tells_output_schema() const {
  return rendering >= 2 && !output_schema.empty() && compiled_output_schema.has_value();
}

Status compile_schemas(AgentSpec& spec) {
  if (!spec.output_schema.empty()) {
    TRY_ASSIGN(spec.compiled_output_schema,
               JsonSchema::compile(spec.output_schema, "agent.output_schema"));
  }
  for (const ToolDeclaration& tool : spec.tools) {
    if (tool.input_schema.empty()) continue;
    auto compiled = JsonSchema::compile(tool.input_schema, "input_schema");
    if (compiled) spec.input_schemas.insert_or_assign(tool.name, *std::move(compiled));
  }
  return {};
}

std::string agent_content(const AgentSpec& spec) {
  json::array tools;
  for (const ToolDeclaration& tool : spec.tools) {
    tools.push_back({{"name", tool.name},
                     {"description", tool.description},
                     {"input_schema", tool.input_schema}});
  }
  json::object content{
      {"name", spec.name},
      {"models", to_array(spec.models)},
      {"instructions", spec.instructions},
      {"tools", std::move(tools)},
      {"always_ask", to_array(spec.always_ask)},
      {"max_inline", spec.max_inline_bytes},
      {"limits",
       {{"cost_micro_usd", spec.limits.cost_micro_usd},
        {"model_calls", spec.limits.model_calls},
        {"tool_calls", spec.limits.tool_calls},
        {"turns", spec.limits.turns}}},
  };
  if (spec.max_output_tokens > 0) content["max_output_tokens"] = spec.max_output_tokens;
  if (spec.rendering > 1) content["rendering"] = spec.rendering;
  if (spec.failover_on_refusal) content["failover_on_refusal"] = true;
  if (!spec.builtins.empty()) content["builtins"] = to_array(spec.builtins);
  if (!spec.output_schema.empty()) content["output_schema"] = spec.output_schema;
  return to_canonical_json(content);
}

std::string agent_mark(const AgentSpec& spec) {
  return to_hex(sha256(agent_content(spec)).view()).substr(0, kMarkDigits);
}

Result<AgentSpec> agent_from_content(std::string_view text) {
  TRY_ASSIGN(const json::value root, parse_json(text, "agent", {.size_bytes = 64u << 20}));
  ObjectReader in(root, "agent");
  AgentSpec spec;
  spec.name = in.string("name");
  spec.models = in.strings("models");
  spec.instructions = in.string("instructions");
  spec.always_ask = in.strings("always_ask");
  spec.max_output_tokens = in.integer("max_output_tokens", 1, kMaxOutputTokensMax, 0);
  spec.rendering = in.integer("rendering", 1, kRendering, 1);
  spec.max_inline_bytes = in.integer("max_inline", kUnlimited, INT64_MAX, kUnlimited);
  spec.failover_on_refusal = in.boolean("failover_on_refusal", false);
  spec.builtins = in.strings("builtins");
  spec.output_schema = in.string("output_schema", "");
  Status limits_status;
  if (const json::value* limits = in.value("limits")) {
    spec.limits = read_limits(*limits, limits_status);
  }
  const json::array* tools = in.array("tools");
  TRY_STATUS(in.finish());
  TRY_STATUS(limits_status);
  if (tools != nullptr) {
    for (const json::value& item : *tools) {
      TRY_ASSIGN(ToolDeclaration tool, read_tool(item));
      spec.tools.push_back(std::move(tool));
    }
  }
  if (spec.models.empty()) return fail(Code::kInvalid, "agent.models: name at least one model");
  spec.mark = agent_mark(spec);
  // A task goes on with the version that it pinned, whatever this program makes of its schemas.
  // What cannot be compiled is not checked.
  (void)compile_schemas(spec);
  return spec;
}

}  // namespace perdure
