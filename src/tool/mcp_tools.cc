#include "tool/mcp_tools.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/glob.h"
#include "base/text.h"
#include "tool/call_place.h"

namespace perdure {
namespace {

constexpr int kPinsVersion = 1;
constexpr size_t kPinsMaxBytes = 64u << 20;

// The tool's own name stands before any pattern; of several patterns the strictest counts.
const McpContract* contract_for(const McpServerConfig& config, std::string_view name) {
  const McpContract* best = nullptr;
  for (const McpContract& contract : config.contracts) {
    if (contract.pattern == name) return &contract;
    if (!matches_glob(contract.pattern, name)) continue;
    if (best == nullptr || contract.rules.contract.effect > best->rules.contract.effect) {
      best = &contract;
    }
  }
  return best;
}

// Of this nothing is said: `once`, and a person approves. What was not sent is sent later.
ToolRules undeclared() {
  ToolRules rules;
  rules.declared = false;
  rules.contract.max_attempts = kMcpMaxAttempts;
  return rules;
}

ToolRules trusted(const mcp::Annotations& hints) {
  ToolRules rules = undeclared();
  const bool reads = hints.read_only.value_or(false);
  const bool repeats = hints.idempotent.value_or(false);
  if (!reads && !repeats) return rules;
  rules.declared = true;
  rules.contract.effect = reads ? EffectClass::kRead : EffectClass::kRepeat;
  rules.contract.repeat_allowed = true;
  rules.ask = !reads && hints.destructive.value_or(true);
  return rules;
}

// The path of a URL, and what a command is given, may be credentials.
std::string place_of(const McpServerConfig& config) {
  const std::string at = config.command.empty()
                             ? shown_origin(config.url)
                             : config.command[0].substr(config.command[0].rfind('/') + 1);
  return fmt::format("the tool server '{}' ({})", config.name, at);
}

}  // namespace

ToolRules rules_of(const McpServerConfig& config, const mcp::ListedTool& tool) {
  const mcp::Annotations& hints = tool.annotations;
  const McpContract* contract = contract_for(config, tool.name);
  if (contract == nullptr) return config.trust_annotations ? trusted(hints) : undeclared();
  ToolRules rules = contract->rules;
  // A pattern may have caught more than was meant: a server that says of a tool that it changes
  // things is believed.
  const bool exact = contract->pattern == tool.name;
  const bool warns = hints.destructive.value_or(false) || !hints.read_only.value_or(true);
  if (!exact && warns && rules.contract.effect == EffectClass::kRead) return undeclared();
  if (!exact && hints.destructive.value_or(false) && may_run_again(rules.contract.effect))
    return undeclared();
  if (hints.destructive.value_or(false) && !(exact && contract->ask_is_said)) rules.ask = true;
  return rules;
}

std::string McpTools::pins_of(const std::vector<mcp::ListedTool>& tools) {
  std::map<std::string_view, std::string_view> sorted;
  for (const mcp::ListedTool& tool : tools) sorted[tool.name] = tool.definition;
  std::string text = fmt::format("{{\"version\":{},\"tools\":[", kPinsVersion);
  for (const auto& [name, definition] : sorted) {
    if (text.back() != '[') text += ',';
    text += fmt::format("\n{}", definition);
  }
  return text + "\n]}\n";
}

Status McpTools::read_pins(std::string_view text) {
  JsonLimits limits;
  limits.size_bytes = kPinsMaxBytes;
  TRY_ASSIGN(const json::value document, parse_json(text, "accepted tools", limits));
  ObjectReader in(document, "accepted tools");
  in.integer("version", kPinsVersion, kPinsVersion);
  const json::array* items = in.array("tools");
  TRY_STATUS(in.finish());
  std::vector<mcp::ListedTool> tools;
  for (const json::value& item : items != nullptr ? *items : json::array()) {
    TRY_ASSIGN(mcp::ListedTool tool, mcp::read_tool(item));
    tools.push_back(std::move(tool));
  }
  accept(tools);
  return {};
}

void McpTools::accept(const std::vector<mcp::ListedTool>& tools) {
  pinned_ = true;
  accepted_.clear();
  for (const mcp::ListedTool& tool : tools) accepted_[tool.name] = tool;
}

void McpTools::set_offered(std::optional<std::vector<mcp::ListedTool>> tools) {
  offered_ = std::move(tools);
}

std::string McpTools::offered_sha256() const {
  return offered_ ? to_hex(mcp::list_sha256(*offered_).view()) : "";
}

std::string_view McpTools::own_name(std::string_view tool) const {
  const std::string prefix = config_.name + ".";
  return tool.starts_with(prefix) ? tool.substr(prefix.size()) : std::string_view();
}

const mcp::ListedTool* McpTools::offered_tool(std::string_view own_name) const {
  if (!offered_) return nullptr;
  const auto found = std::find_if(offered_->begin(), offered_->end(),
                                  [&](const auto& tool) { return tool.name == own_name; });
  return found == offered_->end() ? nullptr : &*found;
}

// While it is not known what is offered, what was accepted stands.
ToolState McpTools::state_of(const std::string& own_name) const {
  const auto accepted = accepted_.find(own_name);
  if (accepted == accepted_.end()) return ToolState::kNew;
  if (!offered_) return ToolState::kOk;
  const mcp::ListedTool* tool = offered_tool(own_name);
  if (tool == nullptr) return ToolState::kGone;
  return tool->sha256 == accepted->second.sha256 ? ToolState::kOk : ToolState::kChanged;
}

std::string McpTools::refusal_of(const std::string& own_name, ToolState state) const {
  const std::string tool = config_.name + "." + own_name;
  switch (state) {
    case ToolState::kNew:
      return fmt::format(
          "the tool '{}' is new: the operator accepts it with 'perdure tools accept "
          "{}'",
          tool, config_.name);
    case ToolState::kChanged:
      return fmt::format(
          "the tool '{}' is not what was accepted: its description or schema has "
          "changed. The operator accepts it with 'perdure tools accept {}'",
          tool, config_.name);
    case ToolState::kGone:
      return fmt::format("the tool '{}' is gone: the server '{}' no longer offers it", tool,
                         config_.name);
    case ToolState::kOk:
    case ToolState::kUnreachable:
      break;
  }
  return "";
}

ToolEntry McpTools::entry_of(const mcp::ListedTool& tool, ToolState state) const {
  ToolEntry entry;
  entry.name = config_.name + "." + tool.name;
  entry.kind = "mcp";
  entry.server = config_.name;
  entry.description = tool.description;
  entry.input_schema = tool.input_schema;
  entry.rules = rules_of(config_, tool);
  entry.state = state;
  entry.why = refusal_of(tool.name, state);
  entry.to = place_of(config_);
  entry.key_in = "_meta perdure/idempotency-key";
  return entry;
}

std::vector<ToolEntry> McpTools::entries(const std::string& unreachable) const {
  std::vector<ToolEntry> entries;
  for (const auto& [name, tool] : accepted_) {
    ToolEntry entry = entry_of(tool, state_of(name));
    entry.sha256 = to_hex(tool.sha256.view());
    const mcp::ListedTool* now = offered_tool(name);
    if (now != nullptr) entry.offered_sha256 = to_hex(now->sha256.view());
    if (now != nullptr && entry.state == ToolState::kChanged) {
      entry.definition = tool.definition;
      entry.offered_definition = now->definition;
    }
    if (!unreachable.empty() && entry.state == ToolState::kOk) {
      entry.state = ToolState::kUnreachable;
      entry.why = unreachable;
    }
    entries.push_back(std::move(entry));
  }
  for (const mcp::ListedTool& tool : offered_ ? *offered_ : std::vector<mcp::ListedTool>()) {
    if (accepted_.contains(tool.name)) continue;
    ToolEntry entry = entry_of(tool, ToolState::kNew);
    entry.offered_sha256 = to_hex(tool.sha256.view());
    entries.push_back(std::move(entry));
  }
  return entries;
}

std::optional<ToolRuling> McpTools::ruling(const std::string& tool) const {
  const std::string name(own_name(tool));
  const auto accepted = accepted_.find(name);
  const mcp::ListedTool* known =
      accepted != accepted_.end() ? &accepted->second : offered_tool(name);
  if (known == nullptr) return std::nullopt;
  return ToolRuling{rules_of(config_, *known), refusal_of(name, state_of(name))};
}

std::vector<std::string> McpTools::names_of_no_tool() const {
  std::vector<std::string> names;
  for (const McpContract& contract : config_.contracts) {
    const auto is_about = [&](const std::string& name) {
      return matches_glob(contract.pattern, name);
    };
    const bool is_of_accepted = std::any_of(accepted_.begin(), accepted_.end(),
                                            [&](const auto& tool) { return is_about(tool.first); });
    const bool is_of_offered =
        offered_ && std::any_of(offered_->begin(), offered_->end(),
                                [&](const auto& tool) { return is_about(tool.name); });
    if (!is_of_accepted && !is_of_offered) names.push_back(contract.pattern);
  }
  return names;
}

std::vector<std::string> McpTools::not_accepted() const {
  std::vector<std::string> names;
  for (const ToolEntry& entry : entries("")) {
    if (entry.state != ToolState::kOk) names.push_back(entry.name);
  }
  return names;
}

}  // namespace perdure
