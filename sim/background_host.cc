#include "background_host.h"

#include <fmt/core.h>

#include <algorithm>

#include "world.h"

namespace perdure::sim {
namespace {

constexpr int64_t kLongestUs = 90'000'000;  // several times what a connection lives

std::string between(std::string_view text, std::string_view before, char after) {
  const size_t at = text.find(before);
  if (at == std::string_view::npos) return {};
  const size_t from = at + before.size();
  return std::string(text.substr(from, std::min(text.find(after, from), text.size()) - from));
}

std::string created(const std::string& id) {
  return fmt::format(
      "data: {{\"type\":\"response.created\",\"response\":{{\"id\":\"{}\",\"status\":"
      "\"in_progress\"}}}}\n\n",
      id);
}

std::string response(const std::string& id, bool fails) {
  if (fails) {
    return fmt::format(R"({{"id":"{}","status":"failed","error":{{"code":"server_error"}}}})", id);
  }
  return fmt::format(
      R"({{"id":"{}","status":"completed","output":[{{"type":"message","content":[{{"type":)"
      R"("output_text","text":"done"}}]}}],"usage":{{"input_tokens":10,"output_tokens":5}}}})",
      id);
}

std::string ended(const std::string& id, bool fails) {
  return fmt::format("data: {{\"type\":\"response.{}\",\"response\":{}}}\n\n",
                     fails ? "failed" : "completed", response(id, fails));
}

constexpr std::string_view kStreamError =
    "data: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"not now\"}\n\n";

}  // namespace

std::string step_in(std::string_view text) {
  return between(text, "step:", ';');
}

void BackgroundHost::create(std::string_view body, Line line) {
  Dice& dice = world_.dice();
  if (dice.chance(world_.knobs().model_trouble / 2)) {
    const int status = dice.one_of({429, 500, 503});
    return line.end({status, {}, R"({"error":{"message":"not now"}})"}, {});
  }
  const std::string id = fmt::format("resp_{}", ++count_);
  Background& response = world_.oracle().background[id];
  response.ready_us = world_.now_us() + dice.between(0, kLongestUs);
  response.fails = dice.chance(100);
  ++world_.oracle().model_answers[tag_in(body)];
  if (!dice.chance(world_.knobs().lost_answer)) line.piece(created(id));
  tell_when_ready(id, std::move(line));
}

void BackgroundHost::fetch(std::string_view url, Line line) {
  Dice& dice = world_.dice();
  world_.probe(Probe::kFetched);
  const std::string id = between(url, "/responses/", '?');
  if (dice.chance(world_.knobs().model_trouble / 4)) {
    return line.end({dice.one_of({401, 429, 500, 503}), {}, "{}"}, {});
  }
  const auto found = world_.oracle().background.find(id);
  if (found == world_.oracle().background.end() || dice.chance(50)) {
    world_.probe(Probe::kFetchLost);
    return line.end({404, {}, R"({"error":{"message":"not found"}})"}, id);
  }
  const bool streams = url.ends_with("stream=true");
  const bool ready = world_.now_us() >= found->second.ready_us;
  if (!ready && (!streams || dice.chance(300))) {
    return line.end({200, {}, fmt::format(R"({{"id":"{}","status":"in_progress"}})", id)}, {});
  }
  if (!streams) return line.end({200, {}, response(id, found->second.fails)}, id);
  if (dice.chance(world_.knobs().model_trouble / 4)) {
    return line.end({200, {}, created(id) + std::string(kStreamError)}, {});
  }
  line.piece(created(id));
  tell_when_ready(id, std::move(line));
}

void BackgroundHost::tell_when_ready(const std::string& id, Line line) {
  const Background& response = world_.oracle().background.at(id);
  const int64_t wait_us = std::max<int64_t>(response.ready_us - world_.now_us(), 0);
  world_.after(wait_us, "response is ready", [line = std::move(line), id, fails = response.fails] {
    line.end({200, {}, ended(id, fails)}, id);
  });
}

}  // namespace perdure::sim
