#include "scenario/answers.h"

#include <fmt/core.h>

namespace perdure::scenario {
namespace {

// Arguments that are no object stand as the text says: cut, or no JSON at all.
json::object call_of(Line& line, const std::string& id) {
  const std::string name = line.word();
  const json::value arguments = line.value();
  const std::string text =
      arguments.is_string() ? std::string(arguments.get_string()) : to_canonical_json(arguments);
  return {{"id", id}, {"type", "function"}, {"function", {{"name", name}, {"arguments", text}}}};
}

}  // namespace

std::string model_answer(Line& line, uint64_t number) {
  json::object message{{"role", "assistant"}, {"content", nullptr}};
  std::string finish = "stop";
  if (line.take("says")) {
    message["content"] = line.quoted();
  } else if (line.take("calls")) {
    finish = "tool_calls";
    json::array calls;
    do {
      calls.push_back(call_of(line, fmt::format("call_{}_{}", number, calls.size())));
    } while (line.take("and"));
    message["tool_calls"] = std::move(calls);
  } else if (line.take("declines")) {
    message["refusal"] = line.quoted();
  } else if (line.take("is")) {
    line.need("cut");
    message["content"] = line.quoted();
    finish = "length";
  } else {
    line.fail("a model says, calls, declines or is cut");
  }
  int64_t input = 100;
  int64_t output = 10;
  if (line.take("using")) {
    input = line.number(), line.need("in");
    output = line.number(), line.need("out");
  }
  return to_canonical_json(json::object{
      {"id", fmt::format("answer-{}", number)},
      {"model", "m"},
      {"choices", {{{"index", 0}, {"finish_reason", finish}, {"message", std::move(message)}}}},
      {"usage", {{"prompt_tokens", input}, {"completion_tokens", output}}}});
}

std::string background_answer(Line& line) {
  line.need("says");
  const json::object text{
      {"type", "output_text"}, {"text", line.quoted()}, {"annotations", json::array()}};
  const json::object message{{"type", "message"}, {"role", "assistant"}, {"content", {text}}};
  return to_canonical_json(
      json::object{{"type", "response.completed"},
                   {"response",
                    {{"id", "resp_1"},
                     {"status", "completed"},
                     {"output", {message}},
                     {"usage", {{"input_tokens", 100}, {"output_tokens", 10}}}}}});
}

}  // namespace perdure::scenario
