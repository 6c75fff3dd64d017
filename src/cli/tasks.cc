// perdure tasks list | show | journal | cancel
#include <fmt/core.h>

#include "base/percent.h"
#include "cli/commands.h"
#include "cli/find.h"
#include "cli/moments.h"
#include "cli/table.h"
#include "cli/text.h"
#include "cli/words.h"

namespace perdure::cli {
namespace {

constexpr int kPageMax = 200;

// Asks about one task that a person named: the answer of `path` + `more`.
Result<Answer> ask(Client& client, const std::string& word, const std::string& more,
                   std::string_view expected) {
  TRY_ASSIGN(const std::string id, find_task(client, word));
  auto answer = client.get("/v1/tasks/" + id + more, expected);
  if (!answer) return tl::unexpected(with_nearest_task(client, answer.error(), id));
  return answer;
}

int shown(const Context& context, const Answer& answer) {
  const Output& to = context.to;
  fmt::print(
      to.out, "{}",
      to.json ? answer.text + "\n" : task_text(answer.object(), to.out_look, context.now_ms()));
  return kDone;
}

std::string journal_line(const json::object& record) {
  return fmt::format("{:>5}  {:<20} {}", text_at(record, "seq"), text_at(record, "type"),
                     record_text(record));
}

void print_record(const Output& to, const json::value& record, bool raw) {
  const json::object* object = record.if_object();
  if (raw || object == nullptr) return fmt::print(to.out, "{}\n", to_json(record));
  const std::string line = visible(journal_line(*object));
  fmt::print(to.out, "{}\n", to.out_look.columns > 0 ? clipped(line, to.out_look.columns) : line);
}

std::string query_of(const ListFlags& flags, int limit, const std::string& cursor) {
  std::string query = fmt::format("?limit={}", limit);
  if (!flags.status.empty()) query += "&status=" + percent_encode(flags.status);
  if (!flags.agent.empty()) query += "&agent=" + percent_encode(flags.agent);
  if (!flags.session.empty()) query += "&session=" + percent_encode(flags.session);
  if (!cursor.empty()) query += "&cursor=" + percent_encode(cursor);
  return query;
}

// What a damaged task waits for is not known.
std::string waits_or_damage_text(const json::object& task, int64_t now_ms) {
  const json::object* damage = object_in(task, "damage");
  return damage != nullptr ? text_at(*damage, "what") : waits_text(task, now_ms);
}

}  // namespace

int report(const Error& error, const Output& to) {
  // Our own messages may have lines; what a server says is in one.
  fmt::print(to.err, "{} {}\n", to.err_look.paint(Ink::kRed, "perdure:"),
             visible_lines(error.message));
  if (error.code == Code::kCancelled) return kInterrupted;
  return error.code == Code::kUnavailable ? kNoServer : kRefused;
}

int status_of(const json::object& task) {
  const std::string status = text_at(task, "status");
  if (status == "failed" || status == "cancelled") return kFailed;
  return status == "input_required" ? kIsAsking : kDone;
}

int list_tasks(Context& context, const ListFlags& flags) {
  const Output& to = context.to;
  if (flags.limit < 1) return report({Code::kInvalid, "--limit: at least 1"}, to);
  Table table({{"TASK", false, false, true},
               {"STATUS", false, true},
               {"AGENT", true},
               {"COST"},
               {"UPDATED"},
               {"WAITS FOR", true}});
  std::string cursor;
  int left = flags.limit;
  do {
    const auto answer = context.client.get(
        "/v1/tasks" + query_of(flags, std::min(left, kPageMax), cursor), "tasks");
    if (!answer) return report(answer.error(), to);
    const json::array* tasks = array_in(answer->object(), "tasks");
    for (size_t i = 0; tasks != nullptr && i < tasks->size(); ++i) {
      const json::object* task = (*tasks)[i].if_object();
      if (task == nullptr) continue;
      if (to.json) fmt::print(to.out, "{}\n", to_json((*tasks)[i]));
      table.add({text_at(*task, "id"), text_at(*task, "status"), text_at(*task, "agent"),
                 cost_text(*task), relative_text(text_at(*task, "updated_at"), context.now_ms()),
                 waits_or_damage_text(*task, context.now_ms())});
    }
    left -= static_cast<int>(tasks != nullptr ? tasks->size() : 0);
    cursor = text_at(answer->object(), "next_cursor");
  } while (left > 0 && !cursor.empty());
  if (to.json) return kDone;
  fmt::print(to.out, "{}", table.empty() ? "there are no tasks\n" : table.text(to.out_look));
  if (!cursor.empty()) fmt::print(to.err, "there are more: see --limit\n");
  return kDone;
}

int show_task(Context& context, const std::string& word) {
  const auto answer = ask(context.client, word, "", "phase");
  return answer ? shown(context, *answer) : report(answer.error(), context.to);
}

int show_journal(Context& context, const std::string& word, bool normalised) {
  const auto id = find_task(context.client, word);
  if (!id) return report(id.error(), context.to);
  std::string after = "0";
  for (bool more = true; more;) {
    const auto answer = ask(
        context.client, *id,
        fmt::format("/journal?limit=1000&after={}&normalised={}", after, normalised), "records");
    if (!answer) return report(answer.error(), context.to);
    const json::object& page = answer->object();
    const json::array* records = array_in(page, "records");
    for (size_t i = 0; records != nullptr && i < records->size(); ++i) {
      print_record(context.to, (*records)[i], context.to.json || normalised);
    }
    after = text_at(page, "next_after");
    more = text_at(page, "has_more") == "true";
  }
  return kDone;
}

int cancel_task(Context& context, const std::string& word, const std::string& reason) {
  const auto id = find_task(context.client, word);
  if (!id) return report(id.error(), context.to);
  json::object body;
  if (!reason.empty()) body["reason"] = reason;
  const auto answer = context.client.post("/v1/tasks/" + *id + "/cancel", body, "phase");
  if (!answer) return report(with_nearest_task(context.client, answer.error(), *id), context.to);
  return shown(context, *answer);
}

}  // namespace perdure::cli
