#pragma once
// One version of an agent: all that the loop needs to know about it. It is data, and its content is
// its version, so that a task which began with it can end with it.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "journal/message.h"
#include "journal/terms.h"
#include "schema/schema.h"

namespace perdure {

inline constexpr int64_t kMaxOutputTokensMax = 10'000'000;
inline constexpr int64_t kDefaultMaxInlineBytes = 16 * 1024;
inline constexpr int64_t kMaxInlineBytesMin = 256;
// How a conversation is put to the model. 1: nothing is said of the output schema, and results of
// tool servers are shown as the JSON that they came in.
inline constexpr int64_t kRendering = 2;

struct AgentSpec {
  std::string name;
  std::string mark;                 // first 16 hex digits of the SHA-256 of `agent_content`
  std::vector<std::string> models;  // names in the operator's file; the next where one fails
  bool failover_on_refusal = false;
  std::string instructions;
  std::vector<ToolDeclaration> tools;   // sorted by name
  std::vector<std::string> builtins;    // sorted names of those of `tools` that the loop has itself
  std::vector<std::string> always_ask;  // sorted names of tools
  std::string output_schema;            // JSON text; empty: the answer is text
  // A larger result of a tool is shown in part. kUnlimited: versions from before there was a limit.
  int64_t max_inline_bytes = kDefaultMaxInlineBytes;
  int64_t max_output_tokens = 0;  // 0: as many as the model's own limit
  // A task keeps that of its version, so that an upgrade changes nothing of what its model is sent.
  int64_t rendering = kRendering;
  Limits limits;  // turns: answers of a model
  // Compiled once; those of tools by name. Arguments of a tool that is not here are not checked.
  std::map<std::string, JsonSchema, std::less<>> input_schemas;
  std::optional<JsonSchema> compiled_output_schema;

  // Null if the agent has no such tool.
  const ToolDeclaration* find_tool(std::string_view tool) const;
  // The agent file asks a person before each call of this tool, whatever the policy says.
  bool asks_always(std::string_view tool) const;
  bool has_builtin(std::string_view tool) const;
  // The answer is checked, and the model is told the schema at the beginning.
  bool tells_output_schema() const;
};

// Fills what is compiled. The error is about the output schema. A tool's schema that cannot be
// compiled is left out: the operator's own were checked when they were read, those of tool servers
// are checked there.
Status compile_schemas(AgentSpec& spec);

// The canonical JSON of everything but the mark: equal agents give equal text.
std::string agent_content(const AgentSpec& spec);
// What tells its turns from those of another version, in the planner's name of the journal.
std::string agent_mark(const AgentSpec& spec);
// Reads what `agent_content` wrote.
Result<AgentSpec> agent_from_content(std::string_view text);

}  // namespace perdure
