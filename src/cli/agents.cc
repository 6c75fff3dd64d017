#include "cli/agents.h"

#include <fmt/core.h>

#include "base/percent.h"
#include "cli/moments.h"
#include "cli/table.h"
#include "cli/text.h"
#include "cli/words.h"

namespace perdure::cli {
namespace {

constexpr size_t kVersionShown = 12;

std::vector<std::string> warnings_of(const json::object& agent) {
  std::vector<std::string> out;
  const json::array* warnings = array_in(agent, "warnings");
  for (size_t i = 0; warnings != nullptr && i < warnings->size(); ++i) {
    if ((*warnings)[i].is_string()) out.emplace_back((*warnings)[i].get_string());
  }
  return out;
}

std::string version_text(const json::object& agent) {
  return text_at(agent, "version").substr(0, kVersionShown);
}

std::string source_text(const json::object& agent) {
  return text_at(agent, "source") == "file" ? "the operator's file" : text_at(agent, "created_by");
}

void put_line(std::string& out, const Look& look, std::string_view name, const std::string& text) {
  if (text.empty()) return;
  out += look.paint(Ink::kDim, fmt::format("{:<10}", name)) + " " + visible(text) + "\n";
}

std::string agent_text(const json::object& agent, const Look& look, int64_t now_ms) {
  std::string out;
  put_line(out, look, "agent", text_at(agent, "name"));
  put_line(out, look, "version", text_at(agent, "version"));
  put_line(out, look, "planner", text_at(agent, "planner"));
  put_line(out, look, "from", source_text(agent));
  if (const std::string at = text_at(agent, "created_at"); !at.empty()) {
    put_line(out, look, "put", relative_text(at, now_ms));
  }
  put_line(out, look, "problem", text_at(agent, "problem"));
  for (const std::string& warning : warnings_of(agent)) put_line(out, look, "warning", warning);
  if (const json::object* content = object_in(agent, "content")) {
    out += visible_lines(pretty_json(json::value(*content))) + "\n";
  }
  return out;
}

}  // namespace

int list_agents(Context& context) {
  const Output& to = context.to;
  Table table({{"AGENT"}, {"VERSION"}, {"PLANNER", true}, {"FROM", true}, {"PUT"}});
  std::string cursor;
  do {
    const auto answer = context.client.get(
        "/v1/agents?limit=200" + (cursor.empty() ? "" : "&cursor=" + percent_encode(cursor)),
        "agents");
    if (!answer) return report(answer.error(), to);
    const json::array* agents = array_in(answer->object(), "agents");
    for (size_t i = 0; agents != nullptr && i < agents->size(); ++i) {
      const json::object* agent = (*agents)[i].if_object();
      if (agent == nullptr) continue;
      if (to.json) fmt::print(to.out, "{}\n", to_json((*agents)[i]));
      const std::string put = text_at(*agent, "created_at");
      table.add({text_at(*agent, "name"), version_text(*agent), text_at(*agent, "planner"),
                 source_text(*agent), put.empty() ? "" : relative_text(put, context.now_ms())});
    }
    cursor = text_at(answer->object(), "next_cursor");
  } while (!cursor.empty());
  if (to.json) return kDone;
  fmt::print(to.out, "{}", table.empty() ? "there are no agents\n" : table.text(to.out_look));
  return kDone;
}

int show_agent(Context& context, const std::string& name) {
  const auto answer = context.client.get("/v1/agents/" + percent_encode(name), "version");
  if (!answer) return report(answer.error(), context.to);
  const Output& to = context.to;
  fmt::print(
      to.out, "{}",
      to.json ? answer->text + "\n" : agent_text(answer->object(), to.out_look, context.now_ms()));
  return kDone;
}

int put_agent(Context& context, const std::string& path) {
  const Output& to = context.to;
  const auto agent = read_agent_file(path, context.program);
  if (!agent) return report(agent.error(), to);
  auto answer = context.client.put("/v1/agents/" + percent_encode(text_at(*agent, "name")), *agent,
                                   "version");
  if (!answer) {
    answer.error().message = path + ": " + answer.error().message;
    return report(answer.error(), to);
  }
  print_warnings(to, path, answer->object());
  fmt::print(to.out, "{}\n",
             to.json ? answer->text
                     : visible(fmt::format("{}  version {}", text_at(answer->object(), "name"),
                                           version_text(answer->object()))));
  return kDone;
}

void print_warnings(const Output& to, const std::string& path, const json::object& agent) {
  for (const std::string& warning : warnings_of(agent)) {
    fmt::print(to.err, "perdure: {}\n", visible(path + ": " + warning));
  }
}

Result<json::object> read_agent_file(const std::string& path, const Program& program) {
  TRY_ASSIGN(json::value file, program.read_agent(path));
  json::object* agent = file.if_object();
  if (agent != nullptr && !text_at(*agent, "name").empty()) return std::move(*agent);
  return fail(Code::kInvalid, path + ": name: is missing");
}

}  // namespace perdure::cli
