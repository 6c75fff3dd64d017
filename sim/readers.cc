#include "readers.h"

#include <fmt/core.h>

#include "base/json.h"
#include "base/text.h"
#include "world.h"

namespace perdure::sim {
namespace {

// The field of a message of an event stream; empty if it has none.
std::string_view field(std::string_view message, std::string_view name) {
  const std::string start = std::string(name) + ": ";
  for (size_t at = 0; at < message.size();) {
    const size_t end = std::min(message.find('\n', at), message.size());
    const std::string_view line = message.substr(at, end - at);
    if (line.starts_with(start)) return line.substr(start.size());
    at = end + 1;
  }
  return {};
}

}  // namespace

void Readers::follow(const TaskId& task) {
  if (readers_.try_emplace(task).second) connect(task);
}

void Readers::connect(const TaskId& task) {
  Reader& reader = readers_.at(task);
  reader.pending.clear();
  api::Request request = request_of("GET", "/v1/tasks/" + task.to_string() + "/events");
  request.headers.emplace_back("accept", "text/event-stream");
  if (reader.told > 0) {
    request.headers.emplace_back("last-event-id", std::to_string(reader.told));
    world_.probe(Probe::kStreamResumed);
  }
  reader.line = std::make_shared<Line>(
      world_,
      [this, task](const api::Response& head) {
        if (head.status == 204) readers_.at(task).done = true;  // there is no more
        if (head.status >= 400 && head.status < 500) {
          world_.verdict().violation("event_stream",
                                     fmt::format("{}: its events are answered with {}: {}",
                                                 task.to_string(), head.status, head.body));
        }
      },
      [this, task](std::string_view bytes) { hear(task, bytes); });
  world_.ask(std::move(request), reader.line);
  come_back(task);
}

// A reader hangs up now and then, and takes a stream up again that has broken off. In a world that
// is healed it only looks in: an open stream says every few seconds that it is there.
void Readers::come_back(const TaskId& task) {
  Dice& dice = world_.dice();
  const bool healed = world_.is_healed();
  if (healed) {
    world_.after(1'000'000, "reader hangs up",
                 [line = readers_.at(task).line] { line->hang_up(); });
  }
  const int64_t pause_us = healed ? 7'200'000'000 : dice.spread(10'000, 20'000'000);
  world_.after(pause_us, "reader looks", [this, task] {
    Reader& reader = readers_.at(task);
    if (reader.done) return;
    const bool broken = !world_.is_alive(reader.line->life()) || reader.line->is_ended();
    const bool leaves = world_.is_healed() || world_.dice().chance(300);
    if (!broken && !leaves) return come_back(task);
    reader.line->hang_up();
    connect(task);
  });
}

void Readers::hear(const TaskId& task, std::string_view bytes) {
  Reader& reader = readers_.at(task);
  reader.pending += bytes;
  for (size_t end = 0; (end = reader.pending.find("\n\n")) != std::string::npos;) {
    take(task, reader, std::string_view(reader.pending).substr(0, end));
    reader.pending.erase(0, end + 2);
  }
}

void Readers::take(const TaskId& task, Reader& reader, std::string_view message) {
  const std::string_view id = field(message, "id");
  if (id.empty()) return;  // a sign of life, or a piece of an answer that is not durable yet
  const auto seq = parse_u64(id);
  const SeenTask* seen = world_.evidence().task(task);
  if (!seq || *seq != reader.told + 1) {
    world_.verdict().violation("event_stream", fmt::format("{}: event '{}' follows event {}",
                                                           task.to_string(), id, reader.told));
  }
  if (seen == nullptr || !seq || seen->head < *seq) {
    world_.verdict().violation(
        "output_commit", fmt::format("{}: event {} is told, {} is durable", task.to_string(), id,
                                     seen ? seen->head : 0));
  }
  reader.told = seq.value_or(reader.told);
  if (seen != nullptr && seen->ended && reader.told >= seen->ended_seq) {
    reader.done = true;
    world_.probe(Probe::kStreamToTheEnd);
  }
}

void Readers::look(const TaskId& task) {
  std::string target = "/v1/tasks/" + task.to_string();
  if (world_.dice().chance(300)) target += "?wait=" + std::to_string(world_.dice().between(1, 30));
  const auto line = std::make_shared<Line>(
      world_, [this, task](const api::Response& response) { judge_status(task, response); });
  world_.ask(request_of("GET", std::move(target)), line);
  if (world_.dice().chance(100)) {
    world_.after(world_.dice().spread(0, 5'000'000), "client hangs up",
                 [line] { line->hang_up(); });
  }
}

void Readers::judge_status(const TaskId& task, const api::Response& response) {
  const SeenTask* seen = world_.evidence().task(task);
  if (response.status == 404) {
    return world_.verdict().violation("ack_durable",
                                      task.to_string() + ": acknowledged, and then unknown");
  }
  if (response.status != 200) return;  // the store did not answer
  const auto shown = parse_json(response.body, "answer");
  const json::value* status = shown ? shown->as_object().if_contains("status") : nullptr;
  if (status == nullptr || seen == nullptr) {
    return world_.verdict().violation("status_durable",
                                      task.to_string() + ": no status in " + response.body);
  }
  const std::string_view word = status->get_string();
  const bool ended = word == "completed" || word == "failed" || word == "cancelled";
  const bool durable = seen->ended && to_string(seen->ended->status) == word;
  if (ended && !durable) {
    world_.verdict().violation("status_durable", fmt::format("{} is shown as {}, which is not so",
                                                             task.to_string(), word));
  }
  if (ended) world_.probe(Probe::kEndSeen);
}

}  // namespace perdure::sim
