#include "agent/builtin_tools.h"

#include <fmt/core.h>

#include <algorithm>

#include "agent/preview.h"
#include "base/json.h"
#include "base/rfc3339.h"
#include "base/text.h"

namespace perdure {
namespace {

std::vector<ToolDeclaration> declarations() {
  return {
      {std::string(kAskTool),
       "Asks a person a question and waits for the answer, which may take days. Ask only what you "
       "cannot find out yourself, and all that you need to know at once.",
       R"({"type":"object","properties":{"question":{"type":"string","minLength":1},)"
       R"("choices":{"type":"array","items":{"type":"string"},"minItems":1,"maxItems":20,)"
       R"("description":"the answers that are offered"},"schema":{"type":"object","description":)"
       R"("a JSON Schema that the answer must fit"}},"required":["question"],)"
       R"("additionalProperties":false})"},
      {std::string(kReadResultTool),
       "Reads a part of the result of an earlier call that was too large to be shown whole. The "
       "result that was shown says which call to name.",
       R"({"type":"object","properties":{"call":{"type":"string","description":"as the shown part )"
       R"(of the result names it"},"offset":{"type":"integer","minimum":0,"description":"the first )"
       R"(byte, from 0"},"limit":{"type":"integer","minimum":1,"description":"at most so many )"
       R"(bytes"}},"required":["call"],"additionalProperties":false})"},
      {std::string(kWaitTool),
       "Waits for some seconds, or until a time, and then lets you go on. Nothing else happens "
       "meanwhile. The result says what time it is.",
       R"({"type":"object","properties":{"seconds":{"type":"number","minimum":0,"maximum":31622400},)"
       R"("until":{"type":"string","description":"an RFC 3339 time, such as 2026-11-24T09:00:00Z"}},)"
       R"("minProperties":1,"maxProperties":1,"additionalProperties":false})"},
  };
}

Result<Action> wait(const json::value& arguments, const StepId& step) {
  TimerAction timer;
  timer.timer = step;
  const json::value* seconds = arguments.get_object().if_contains("seconds");
  if (seconds != nullptr && seconds->is_number()) {
    timer.after_ms = static_cast<int64_t>(seconds->to_number<double>() * 1000);
    return timer;
  }
  const json::value* until = arguments.get_object().if_contains("until");
  if (until == nullptr || !until->is_string()) {
    return fail(Code::kInvalid, "either 'seconds' or 'until' is needed");
  }
  const std::string_view text = until->get_string();
  const auto at_ms = parse_rfc3339(text);
  if (!at_ms) {
    return fail(Code::kInvalid,
                fmt::format("/until: '{}' is not an RFC 3339 time, such as 2026-11-24T09:00:00Z",
                            beginning(text, 64)));
  }
  timer.at_ms = std::max<int64_t>(*at_ms, 1);
  return timer;
}

Result<Action> read_result(const json::value& arguments, const StepId& step, const AgentSpec& spec,
                           const Transcript& transcript) {
  ObjectReader in(arguments, "arguments");
  const std::string call = in.string("call");
  const auto offset = static_cast<uint64_t>(in.integer("offset", 0, INT64_MAX, 0));
  const int64_t most = spec.max_inline_bytes;
  const auto limit = static_cast<uint64_t>(std::min(most, in.integer("limit", 1, INT64_MAX, most)));
  TRY_STATUS(in.finish());
  const std::string* whole = transcript.large_result(call);
  if (whole == nullptr) {
    return fail(Code::kInvalid, fmt::format("/call: '{}' has no result that was shown in part",
                                            beginning(call, kNameMaxBytes)));
  }
  CallAction action;
  action.step = step;
  action.name = kReadResultTool;
  action.executed_by = ExecutedBy::kPlanner;
  action.contract.effect = EffectClass::kRead;
  action.args = Payload::of(to_canonical_json(arguments));
  action.result = Payload::of(part_of(*whole, offset, limit));
  return action;
}

Result<Action> ask_person(const json::value& arguments, const StepId& step) {
  ObjectReader in(arguments, "arguments");
  AskAction ask;
  ask.step = step;
  ask.name = kAskTool;
  ask.message = in.string("question");
  in.array("choices");
  const json::value* schema = in.value("schema");
  TRY_STATUS(in.finish());
  if (ask.message.empty() || ask.message.size() > kQuestionMaxBytes) {
    return fail(Code::kInvalid,
                fmt::format("/question: expected 1 to {} bytes", kQuestionMaxBytes));
  }
  if (schema != nullptr) {
    if (const auto compiled = JsonSchema::compile(*schema); !compiled) {
      return fail(Code::kInvalid, fmt::format("/schema{}", compiled.error().message));
    }
  }
  ask.args = Payload::of(to_canonical_json(arguments));
  return ask;
}

}  // namespace

const std::vector<ToolDeclaration>& builtin_tools() {
  static const std::vector<ToolDeclaration> tools = declarations();
  return tools;
}

InlineRules inline_rules(const AgentSpec& spec) {
  return {spec.max_inline_bytes, spec.has_builtin(kReadResultTool), spec.rendering >= 2};
}

bool is_builtin_tool(std::string_view name) {
  const auto& tools = builtin_tools();
  return std::any_of(tools.begin(), tools.end(),
                     [&](const ToolDeclaration& tool) { return tool.name == name; });
}

Result<Action> builtin_action(const ToolCall& call, const StepId& step, const AgentSpec& spec,
                              const Transcript& transcript) {
  TRY_ASSIGN(const json::value arguments,
             parse_json(call.arguments.empty() ? "{}" : call.arguments, "arguments"));
  if (!arguments.is_object()) return fail(Code::kInvalid, "the arguments are not a JSON object");
  if (call.name == kWaitTool) return wait(arguments, step);
  if (call.name == kAskTool) return ask_person(arguments, step);
  return read_result(arguments, step, spec, transcript);
}

}  // namespace perdure
