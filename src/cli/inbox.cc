// perdure inbox [ID]
#include <fmt/core.h>
#include <unistd.h>

#include "cli/attention.h"
#include "cli/commands.h"
#include "cli/dialogue.h"
#include "cli/find.h"
#include "cli/moments.h"
#include "cli/question.h"
#include "cli/table.h"
#include "cli/text.h"
#include "cli/words.h"

namespace perdure::cli {
namespace {

std::string first_of(const json::object& question, std::string_view member) {
  const json::array* names = array_in(question, member);
  if (names == nullptr || names->empty()) return {};
  const json::value& name = names->front();
  const std::string text = name.is_string() ? std::string(name.get_string()) : to_json(name);
  return names->size() == 1 ? text : fmt::format("{} +{}", text, names->size() - 1);
}

bool is_damaged(const json::object& question) {
  return text_at(question, "status") == "damaged";
}

std::string action_text(const json::object& question) {
  if (is_damaged(question)) return "cannot be answered: its task is damaged";
  const json::object* action = object_in(question, "action");
  if (action == nullptr) return text_at(question, "message");
  const std::string tool = text_at(*action, "tool");
  return (tool.empty() ? text_at(*action, "model") : tool) + " " + text_at(*action, "args");
}

// Nobody is asked anything by a task that stands still: who looks for work is told of it.
void tell_of_damaged(Context& context) {
  const auto answer = context.client.get("/v1/tasks?status=damaged&limit=200", "tasks");
  const json::array* tasks = answer ? array_in(answer->object(), "tasks") : nullptr;
  if (tasks == nullptr || tasks->empty()) return;
  const bool more = !text_at(answer->object(), "next_cursor").empty();
  fmt::print(context.to.out, "{}{} {} damaged: perdure tasks list --status damaged\n",
             tasks->size(), more ? " or more" : "", tasks->size() == 1 ? "task is" : "tasks are");
}

int show_brief(Context& context) {
  Table table({{"ID"}, {"ASKS FOR"}, {"SINCE"}, {"UNTIL"}, {"FOR", true}, {"WHAT", true}});
  const int64_t now = context.now_ms();
  const Status read = each_question(context.client, [&](const json::object& question) {
    const std::string until = text_at(question, "expires_at");
    table.add({handle_of(text_at(question, "id")), reason_text(text_at(question, "reason")),
               relative_text(text_at(question, "created_at"), now),
               until.empty() ? "" : relative_text(until, now), first_of(question, "assignees"),
               action_text(question)});
    return true;
  });
  if (!read) return report(read.error(), context.to);
  fmt::print(context.to.out, "{}",
             table.empty() ? "nobody is asked anything\n" : table.text(context.to.out_look));
  tell_of_damaged(context);
  return kDone;
}

// One after another, each until it is decided or left.
int decide_all(Context& context, const std::vector<json::object>& questions) {
  Attention attention;
  for (const json::object& question : questions) {
    Dialogue dialogue(context, question);
    for (auto came = Dialogue::Came::kMore; came == Dialogue::Came::kMore;) {
      dialogue.prompt();
      bool closed = false;
      auto line = attention.line(closed);
      while (!line && !closed && !attention.is_interrupted()) {
        attention.wait(60'000, true);
        line = attention.line(closed);
      }
      if (!line) {
        fmt::print(context.to.err, "\n");
        return attention.is_interrupted() ? kInterrupted : kDone;
      }
      came = dialogue.take(*line);
    }
  }
  return kDone;
}

}  // namespace

int show_inbox(Context& context, const InboxFlags& flags) {
  if (flags.brief && !context.to.json) return show_brief(context);
  const Output& to = context.to;
  std::vector<json::object> decided;
  bool any = false;
  const auto show = [&](const json::object& question) {
    if (flags.decide && !is_damaged(question)) {
      decided.push_back(question);
    } else if (to.json) {
      fmt::print(to.out, "{}\n", to_json(question));
    } else {
      fmt::print(to.out, "{}{}", any ? "\n" : "",
                 question_text(question, to.out_look, context.now_ms()));
    }
    any = true;
    return true;
  };
  if (flags.id.empty()) {
    const Status read = each_question(context.client, show);
    if (!read) return report(read.error(), to);
  } else {
    const auto question = find_question(context.client, flags.id);
    if (!question) return report(question.error(), to);
    show(*question);
  }
  if (!any && !to.json) fmt::print(to.out, "nobody is asked anything\n");
  if (flags.id.empty() && !to.json) tell_of_damaged(context);
  return flags.decide ? decide_all(context, decided) : kDone;
}

}  // namespace perdure::cli
