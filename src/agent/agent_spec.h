#pragma once
// One version of an agent: all that the loop needs to know about it. It is data, and its content is
// its version, so that a task which began with it can end with it.
#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "journal/message.h"
#include "journal/terms.h"
#include "schema/schema.h"

namespace perdure {

inline constexpr int64_t kDefaultMaxOutputTokens = 8192;
inline constexpr int64_t kMaxOutputTokensMax = 10'000'000;

struct AgentSpec {
  std::string name;
  std::string version;              // first 16 hex digits of the SHA-256 of `agent_content`
  std::vector<std::string> models;  // names in the operator's file; the first is called
  std::string instructions;
  std::vector<ToolDeclaration> tools;   // sorted by name
  std::vector<std::string> always_ask;  // sorted names of tools
  int64_t max_output_tokens = kDefaultMaxOutputTokens;
  Limits limits;  // turns: answers of a model
  // Compiled once, by tool. Arguments of a tool that is not here are not checked.
  std::map<std::string, JsonSchema, std::less<>> input_schemas;

  // Null if the agent has no such tool.
  const ToolDeclaration* find_tool(std::string_view tool) const;
  // The agent file asks a person before each call of this tool, whatever the policy says.
  bool asks_always(std::string_view tool) const;
};

// Fills `input_schemas`; the error names the tool and the place in its schema.
Status compile_input_schemas(AgentSpec& spec);

// The canonical JSON of everything but the version: equal agents give equal text.
std::string agent_content(const AgentSpec& spec);
std::string agent_version(const AgentSpec& spec);
// Reads what `agent_content` wrote.
Result<AgentSpec> agent_from_content(std::string_view text);

}  // namespace perdure
