// perdure tasks submit AGENT INPUT_JSON, perdure events ID
#include <fmt/core.h>

#include "cli/commands.h"
#include "cli/find.h"
#include "cli/follow.h"
#include "cli/progress.h"
#include "cli/text.h"
#include "cli/words.h"

namespace perdure::cli {
namespace {

constexpr int64_t kPatienceMs = 60'000;  // of a script

// RFC 8941: a string, so that any printable key can be sent.
Result<std::string> quoted(const std::string& key) {
  std::string out = "\"";
  for (const char c : key) {
    if (c < 0x20 || c > 0x7E) return fail(Code::kInvalid, "--key: printable ASCII characters only");
    if (c == '"' || c == '\\') out += '\\';
    out += c;
  }
  return out + '"';
}

Result<Answer> send(Client& client, const SubmitFlags& flags) {
  auto input = parse_json(flags.input_json, "INPUT_JSON", {.size_bytes = 64u << 20});
  if (!input) {
    return fail(Code::kInvalid, input.error().message + "; text is written as '\"text\"'");
  }
  Client::Headers headers;
  if (!flags.key.empty()) {
    TRY_ASSIGN(std::string key, quoted(flags.key));
    headers.emplace_back("Idempotency-Key", std::move(key));
  }
  json::object body{{"agent", flags.agent}, {"input", *input}};
  if (!flags.session.empty()) body["session"] = flags.session;
  return client.post("/v1/tasks", body, "id", std::move(headers));
}

FollowFlags follow_flags(const Context& context) {
  FollowFlags flags;
  if (!context.to.out_look.is_terminal && !context.to.err_look.is_terminal)
    flags.patience_ms = kPatienceMs;
  return flags;
}

Status print_events(Context& context, const std::string& id) {
  Progress progress(context.to.out_look);
  std::string after = "0";
  for (bool more = true; more;) {
    TRY_ASSIGN(const Answer answer,
               context.client.get(fmt::format("/v1/tasks/{}/events?limit=1000&after={}", id, after),
                                  "events"));
    const json::array* events = array_in(answer.object(), "events");
    for (size_t i = 0; events != nullptr && i < events->size(); ++i) {
      const json::object* event = (*events)[i].if_object();
      if (event == nullptr) continue;
      if (context.to.json) fmt::print(context.to.out, "{}\n", to_json(json::value(*event)));
      for (const std::string& line : progress.tell(*event)) {
        if (!context.to.json) fmt::print(context.to.out, "{}\n", line);
      }
    }
    after = text_at(answer.object(), "next_after");
    more = text_at(answer.object(), "has_more") == "true";
  }
  return {};
}

}  // namespace

int submit_task(Context& context, const SubmitFlags& flags) {
  const Output& to = context.to;
  auto answer = send(context.client, flags);
  if (!answer) return report(answer.error(), to);
  const std::string id = text_at(answer->object(), "id");
  if (!flags.wait && !flags.follow) {
    fmt::print(to.out, "{}\n", to.json ? answer->text : visible(id));
    return kDone;
  }
  if (!to.json) fmt::print(to.err, "{}\n", visible(id));
  FollowFlags following = follow_flags(context);
  following.is_told = flags.follow;
  following.as_json = flags.follow && to.json;
  following.until_asked = true;
  json::object task;
  Attention attention;
  const int status = follow(context, attention, id, following, task);
  if (task.empty() || following.as_json) return status;
  fmt::print(
      to.out, "{}",
      to.json ? to_json(json::value(task)) + "\n" : task_text(task, to.out_look, context.now_ms()));
  return status;
}

int show_events(Context& context, const std::string& word, bool following) {
  const auto id = find_task(context.client, word);
  if (!id) return report(id.error(), context.to);
  if (!following) {
    const Status printed = print_events(context, *id);
    if (printed) return kDone;
    return report(with_nearest_task(context.client, printed.error(), *id), context.to);
  }
  FollowFlags flags = follow_flags(context);
  flags.as_json = context.to.json;
  flags.on_output = true;
  json::object task;
  Attention attention;
  return follow(context, attention, *id, flags, task);
}

}  // namespace perdure::cli
