#pragma once
// The tools that the loop has itself: nothing outside is called, so they need no contract.
#include <string>
#include <string_view>
#include <vector>

#include "agent/transcript.h"
#include "journal/command.h"
#include "journal/message.h"

namespace perdure {

inline constexpr std::string_view kWaitTool = "wait";
inline constexpr std::string_view kReadResultTool = "read_result";

// What a model is told of each; an agent file names those that it wants.
const std::vector<ToolDeclaration>& builtin_tools();
// How a task of this agent shows the results of its tools.
InlineRules inline_rules(const AgentSpec& spec);
bool is_builtin_tool(std::string_view name);

// The action that does the call and is awaited under the name `step`; or why there is none. The
// arguments fit the tool's schema.
Result<Action> builtin_action(const ToolCall& call, const StepId& step, const AgentSpec& spec,
                              const Transcript& transcript);

}  // namespace perdure
