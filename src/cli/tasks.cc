// perdure tasks list | show | journal | cancel
#include <fmt/core.h>

#include "cli/commands.h"
#include "cli/words.h"

namespace perdure::cli {
namespace {

// Ids stand in paths: what is not an id is not sent.
bool is_id(const std::string& text) {
  return !text.empty() &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
}

Result<std::string> task_path(const std::string& id) {
  if (is_id(id)) return "/v1/tasks/" + id;
  return fail(Code::kInvalid, "'" + plain(id) + "' is not the id of a task");
}

std::string query_of(const ListFlags& flags) {
  std::string query = fmt::format("?limit={}", flags.limit);
  if (!flags.status.empty()) query += "&status=" + url_encoded(flags.status);
  if (!flags.agent.empty()) query += "&agent=" + url_encoded(flags.agent);
  return query;
}

std::string journal_line(const json::object& record) {
  return fmt::format("{:>5}  {:<20} {}\n", text_at(record, "seq"), text_at(record, "type"),
                     plain(record_text(record)));
}

}  // namespace

int report(const Error& error, const Output& to) {
  fmt::print(to.err, "perdure: {}\n", plain(error.message));
  return error.code == Code::kUnavailable ? kNoServer : kRefused;
}

int list_tasks(Client& client, const ListFlags& flags, const Output& to) {
  const auto answer = client.get("/v1/tasks" + query_of(flags));
  if (!answer) return report(answer.error(), to);
  if (to.json) {
    fmt::print(to.out, "{}\n", answer->text);
    return kDone;
  }
  Table table({"TASK", "STATUS", "AGENT", "COST", "UPDATED", "WAITS FOR"});
  for (const json::value& item : answer->value.at("tasks").as_array()) {
    const json::object& task = item.as_object();
    table.add({text_at(task, "id"), text_at(task, "status"), text_at(task, "agent"),
               cost_text(task), text_at(task, "updated_at"), waits_text(task)});
  }
  fmt::print(to.out, "{}", table.text());
  if (!answer->value.at("next_cursor").is_null()) {
    fmt::print(to.out, "there are more: --limit shows up to 200\n");
  }
  return kDone;
}

int show_task(Client& client, const std::string& id, const Output& to) {
  const auto path = task_path(id);
  if (!path) return report(path.error(), to);
  const auto answer = client.get(*path);
  if (!answer) return report(answer.error(), to);
  fmt::print(to.out, "{}{}", to.json ? answer->text : task_text(answer->value.as_object()),
             to.json ? "\n" : "");
  return kDone;
}

int show_journal(Client& client, const std::string& id, bool normalised, const Output& to) {
  const auto path = task_path(id);
  if (!path) return report(path.error(), to);
  std::string after = "0";
  for (bool more = true; more;) {
    const auto answer = client.get(
        fmt::format("{}/journal?limit=1000&after={}&normalised={}", *path, after, normalised));
    if (!answer) return report(answer.error(), to);
    const json::object& page = answer->value.as_object();
    for (const json::value& record : page.at("records").as_array()) {
      const bool raw = to.json || normalised;
      fmt::print(to.out, "{}", raw ? to_json(record) + "\n" : journal_line(record.as_object()));
    }
    after = text_at(page, "next_after");
    more = page.at("has_more").as_bool();
  }
  return kDone;
}

int cancel_task(Client& client, const std::string& id, const std::string& reason,
                const Output& to) {
  const auto path = task_path(id);
  if (!path) return report(path.error(), to);
  json::object body;
  if (!reason.empty()) body["reason"] = reason;
  const auto answer = client.post(*path + "/cancel", body);
  if (!answer) return report(answer.error(), to);
  fmt::print(to.out, "{}{}", to.json ? answer->text : task_text(answer->value.as_object()),
             to.json ? "\n" : "");
  return kDone;
}

}  // namespace perdure::cli
