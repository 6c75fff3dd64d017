// perdure inbox, perdure resolve INTERRUPT_ID DECISION
#include <fmt/core.h>

#include "cli/commands.h"
#include "cli/words.h"

namespace perdure::cli {
namespace {

Result<json::object> decision_of(const ResolveFlags& flags) {
  json::object body{{"decision", flags.decision}};
  if (!flags.message.empty()) body["message"] = flags.message;
  if (flags.remember) body["remember"] = true;
  json::object add;
  if (flags.add_usd) add["cost_usd"] = *flags.add_usd;
  if (flags.add_model_calls) add["model_calls"] = *flags.add_model_calls;
  if (flags.add_tool_calls) add["tool_calls"] = *flags.add_tool_calls;
  if (!add.empty()) body["add"] = std::move(add);
  if (!flags.result_json.empty()) {
    TRY_ASSIGN(body["result"], parse_json(flags.result_json, "--result"));
  }
  return body;
}

}  // namespace

int show_inbox(Client& client, const Output& to) {
  std::string cursor;
  bool any = false;
  do {
    const auto answer = client.get("/v1/interrupts?limit=200" +
                                   (cursor.empty() ? "" : "&cursor=" + url_encoded(cursor)));
    if (!answer) return report(answer.error(), to);
    const json::object& page = answer->value.as_object();
    for (const json::value& item : page.at("interrupts").as_array()) {
      if (to.json) {
        fmt::print(to.out, "{}\n", to_json(item));
      } else {
        fmt::print(to.out, "{}{}", any ? "\n" : "", interrupt_text(item.as_object()));
      }
      any = true;
    }
    cursor = text_at(page, "next_cursor");
  } while (!cursor.empty());
  if (!any && !to.json) fmt::print(to.out, "nobody is asked anything\n");
  return kDone;
}

int resolve_interrupt(Client& client, const ResolveFlags& flags, const Output& to) {
  const auto body = decision_of(flags);
  if (!body) return report(body.error(), to);
  const auto answer =
      client.post("/v1/interrupts/" + url_encoded(flags.interrupt) + "/resolve", *body);
  if (!answer) return report(answer.error(), to);
  const json::object& done = answer->value.as_object();
  if (to.json) {
    fmt::print(to.out, "{}\n", answer->text);
  } else {
    fmt::print(to.out, "{} {}: {}\n", text_at(done, "decision"), text_at(done, "id"),
               done.at("repeated").as_bool() ? "was decided so before" : "recorded");
  }
  return kDone;
}

}  // namespace perdure::cli
