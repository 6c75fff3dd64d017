#include "model_host.h"

#include <fmt/core.h>

#include "world.h"

namespace perdure::sim {
namespace {

std::string between(std::string_view text, std::string_view before, char after) {
  const size_t at = text.find(before);
  if (at == std::string_view::npos) return {};
  const size_t from = at + before.size();
  const size_t to = text.find(after, from);
  return to == std::string_view::npos ? std::string() : std::string(text.substr(from, to - from));
}

size_t count_of(std::string_view text, std::string_view part) {
  size_t count = 0;
  for (size_t at = text.find(part); at != std::string_view::npos; at = text.find(part, at + 1)) {
    ++count;
  }
  return count;
}

constexpr std::string_view kAnswer =
    R"({{"id":"r{}","model":"m","choices":[{{"index":0,"finish_reason":"{}","message":{{)"
    R"("role":"assistant","content":"{}"{}}}}}],"usage":{{"prompt_tokens":{},)"
    R"("completion_tokens":{}}}}})";

}  // namespace

std::string tag_in(std::string_view text) {
  return between(text, "tag:", ';');
}

std::string key_in_arguments(std::string_view body) {
  return between(body, R"("request_key":")", '"');
}

std::optional<Answer> ModelHost::handle(std::string_view body) {
  if (world_.dice().chance(world_.knobs().model_trouble)) {
    const auto answer = trouble();
    if (answer && answer->status == 200) ++world_.oracle().model_answers[tag_in(body)];
    if (!answer || answer->status != 0) return answer;
  }
  ++world_.oracle().model_answers[tag_in(body)];
  return Answer{200, {{"content-type", "application/json"}}, message(body)};
}

std::optional<Answer> ModelHost::trouble() {
  Dice& dice = world_.dice();
  switch (dice.below(9)) {
    case 0:
      return Answer{429,
                    {{"retry-after", std::to_string(dice.between(1, 60))}},
                    R"({"error":{"code":"rate_limit_exceeded","message":"slow down"}})"};
    case 1:
      return Answer{429, {}, R"({"error":{"code":"insufficient_quota","message":"pay"}})"};
    case 2:
      return Answer{dice.one_of({500, 503, 529}), {}, "overloaded"};
    case 3:
      return Answer{400, {}, R"({"error":{"code":"context_length_exceeded","message":"long"}})"};
    case 4:
      world_.probe(Probe::kModelGarbage);
      return Answer{200, {}, R"({"choices":[{"message":)"};
    case 5:
      return Answer{-200, {}, "data: {\"choices\":[{\"index\":0,\"delta\":{\"content\":\"hal"};
    case 6:
      return Answer{401, {}, R"({"error":{"code":"invalid_api_key","message":"no"}})"};
    case 7:
      return std::nullopt;
    default:
      return Answer{200, {}, fmt::format(kAnswer, ++count_, "content_filter", "", "", 10, 0)};
  }
}

std::string ModelHost::message(std::string_view body) {
  Dice& dice = world_.dice();
  const bool may_call = body.find(R"("tools":[)") != std::string_view::npos;
  const size_t turns = count_of(body, R"("role":"assistant")");
  const bool ends = !may_call || turns >= 6 || dice.chance(250);
  const auto prompt_tokens = static_cast<int64_t>(body.size() / 4);
  if (ends) {
    const int64_t tokens = dice.between(1, 100);
    return fmt::format(kAnswer, ++count_, "stop", "done", "", prompt_tokens, tokens);
  }
  std::string calls;
  const int64_t wanted = dice.between(1, 3);
  for (int64_t i = 0; i < wanted; ++i) {
    std::string tool = world_.random_tool();
    if (dice.chance(50)) tool = "made_up";
    const bool garbled = dice.chance(50);
    const int64_t order = dice.between(1, 3);
    calls += fmt::format(
        R"({}{{"id":"c{}_{}","type":"function","function":{{"name":"{}","arguments":"{}"}}}})",
        calls.empty() ? "" : ",", turns, i, tool,
        garbled ? std::string("{") : fmt::format(R"({{\"order\":{}}})", order));
  }
  world_.probe(Probe::kAgentToolCall);
  return fmt::format(kAnswer, ++count_, "tool_calls", "",
                     fmt::format(R"(,"tool_calls":[{}])", calls), prompt_tokens,
                     dice.between(1, 100));
}

}  // namespace perdure::sim
