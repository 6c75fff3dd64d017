#include "agent/agent_file.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "agent/builtin_tools.h"
#include "base/glob.h"
#include "base/text.h"

namespace perdure {
namespace {

constexpr double kMaxCostUsd = 1e9;
constexpr int64_t kMaxCalls = 1'000'000'000;

std::vector<std::string> names_of(const std::vector<ToolDeclaration>& tools) {
  std::vector<std::string> names;
  for (const ToolDeclaration& tool : tools) names.push_back(tool.name);
  return names;
}

std::string no_such_tool(std::string_view pattern, const std::vector<std::string>& names) {
  return fmt::format("there is no tool '{}'{}", pattern, did_you_mean(pattern, names));
}

// A string, or an array of strings.
std::vector<std::string> words(ObjectReader& in, std::string_view name) {
  std::vector<std::string> out;
  const json::value* value = in.value(name);
  if (value == nullptr) return out;
  if (value->is_string()) return {std::string(value->get_string())};
  if (value->is_array()) {
    for (const json::value& item : value->get_array()) {
      if (item.is_string()) out.emplace_back(item.get_string());
    }
    if (out.size() == value->get_array().size()) return out;
  }
  in.fail_at(name, "expected a string or an array of strings");
  return {};
}

std::vector<ToolDeclaration> with_builtins(std::vector<ToolDeclaration> tools) {
  tools.insert(tools.end(), builtin_tools().begin(), builtin_tools().end());
  return tools;
}

std::vector<ToolDeclaration> choose(const std::vector<std::string>& patterns,
                                    const std::vector<ToolDeclaration>& offered, ObjectReader& in) {
  std::vector<ToolDeclaration> chosen;
  for (const std::string& pattern : patterns) {
    if (is_builtin_tool(pattern)) continue;
    if (std::none_of(offered.begin(), offered.end(),
                     [&](const auto& tool) { return matches_glob(pattern, tool.name); })) {
      in.fail_at("tools", no_such_tool(pattern, names_of(with_builtins(offered))));
    }
  }
  for (const ToolDeclaration& tool : offered) {
    if (std::any_of(patterns.begin(), patterns.end(),
                    [&](const auto& pattern) { return matches_glob(pattern, tool.name); })) {
      chosen.push_back(tool);
    }
  }
  // They are named, and never matched.
  for (const ToolDeclaration& tool : builtin_tools()) {
    if (std::find(patterns.begin(), patterns.end(), tool.name) != patterns.end()) {
      chosen.push_back(tool);
    }
  }
  std::sort(chosen.begin(), chosen.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return chosen;
}

Status read_limits(const json::value& value, Limits& limits) {
  ObjectReader in(value, "agent.limits");
  const bool limited = in.has("cost_usd");
  const double usd = in.number("cost_usd", 0, kMaxCostUsd, 0);
  if (limited) limits.cost_micro_usd = std::llround(usd * 1e6);
  limits.model_calls = in.integer("model_calls", 0, kMaxCalls, kUnlimited);
  limits.tool_calls = in.integer("tool_calls", 0, kMaxCalls, kUnlimited);
  limits.turns = in.integer("turns", 1, kMaxCalls, kUnlimited);
  return in.finish();
}

Status read_failover(const json::value& value, AgentSpec& spec) {
  ObjectReader in(value, "agent.failover");
  spec.failover_on_refusal = in.boolean("refusal", false);
  return in.finish();
}

Status read_approval(const json::value& value, AgentSpec& spec) {
  if (!value.is_object()) {
    return fail(Code::kInvalid, "agent.approval: expected a table of tool = \"always\"");
  }
  for (const auto& [key, word] : value.get_object()) {
    const std::string pattern(key);
    if (!word.is_string() || word.get_string() != "always") {
      return fail(Code::kInvalid,
                  fmt::format("agent.approval.{}: an agent file may only tighten; the one value is "
                              "\"always\". Policy is in the operator's file",
                              pattern));
    }
    bool found = false;
    for (const ToolDeclaration& tool : spec.tools) {
      if (!matches_glob(pattern, tool.name)) continue;
      found = true;
      if (!spec.asks_always(tool.name)) spec.always_ask.push_back(tool.name);
    }
    if (!found) {
      return fail(Code::kInvalid, "agent.approval: among this agent's tools " +
                                      no_such_tool(pattern, names_of(spec.tools)));
    }
  }
  std::sort(spec.always_ask.begin(), spec.always_ask.end());
  return {};
}

}  // namespace

Result<AgentSpec> agent_from_file(const json::value& file,
                                  const std::vector<ToolDeclaration>& offered) {
  ObjectReader in(file, "agent");
  AgentSpec spec;
  // Read as if optional, so that a misspelt member is reported rather than a missing one.
  spec.name = in.string("name", "");
  spec.models = words(in, "model");
  spec.instructions = in.string("instructions", "");
  spec.tools = choose(words(in, "tools"), offered, in);
  for (const ToolDeclaration& tool : spec.tools) {
    if (is_builtin_tool(tool.name)) spec.builtins.push_back(tool.name);
  }
  spec.max_output_tokens = in.integer("max_output_tokens", 1, kMaxOutputTokensMax, 0);
  spec.max_inline_bytes =
      in.integer("max_inline", kMaxInlineBytesMin, INT64_MAX, kDefaultMaxInlineBytes);
  if (const json::value* schema = in.value("output_schema")) {
    if (!schema->is_object()) in.fail_at("output_schema", "expected a JSON Schema, as a table");
    spec.output_schema = to_canonical_json(*schema);
  }
  const json::value* failover = in.value("failover");
  const json::value* limits = in.value("limits");
  const json::value* approval = in.value("approval");
  TRY_STATUS(in.finish());
  if (spec.name.empty()) return fail(Code::kInvalid, "agent.name: is missing");
  if (spec.name.size() > kNameMaxBytes) {
    return fail(Code::kInvalid, fmt::format("agent.name: at most {} bytes", kNameMaxBytes));
  }
  if (spec.models.empty()) {
    return fail(Code::kInvalid, "agent.model: name a model of the operator's file");
  }
  if (failover != nullptr) TRY_STATUS(read_failover(*failover, spec));
  if (limits != nullptr) TRY_STATUS(read_limits(*limits, spec.limits));
  if (approval != nullptr) TRY_STATUS(read_approval(*approval, spec));
  TRY_STATUS(compile_schemas(spec));
  spec.mark = agent_mark(spec);
  return spec;
}

}  // namespace perdure
