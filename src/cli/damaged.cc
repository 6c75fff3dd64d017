// perdure tasks end-damaged TASK
#include <fmt/core.h>

#include "cli/commands.h"
#include "cli/find.h"
#include "cli/words.h"

namespace perdure::cli {
namespace {

// What ending it would leave open.
Result<Answer> look(Client& client, const std::string& id) {
  auto answer = client.get("/v1/tasks/" + id + "/damage", "damage");
  if (!answer) return tl::unexpected(with_nearest_task(client, answer.error(), id));
  return answer;
}

std::string shown(const Answer& answer, const Look& look, int64_t now_ms) {
  const json::object* damage = object_in(answer.object(), "damage");
  return damage != nullptr ? damage_text(*damage, look, now_ms) : std::string();
}

}  // namespace

int end_damaged_task(Context& context, const std::string& word, bool yes) {
  const Output& to = context.to;
  const auto id = find_task(context.client, word);
  if (!id) return report(id.error(), to);
  const auto damage = look(context.client, *id);
  if (!damage) return report(damage.error(), to);
  if (!yes) {
    fmt::print(to.err, "{}", shown(*damage, to.err_look, context.now_ms()));
    if (!is_typed()) {
      return report(
          {Code::kInvalid, "nothing was done: there is no terminal to ask at; --yes ends it"}, to);
    }
    if (!confirmed(to, "end the task as it is? What is open stays open.")) {
      return report({Code::kInvalid, "nothing was done"}, to);
    }
  }
  const auto ended =
      context.client.post("/v1/tasks/" + *id + "/end-damaged", json::object(), "phase");
  if (!ended) return report(ended.error(), to);
  if (to.json) {
    fmt::print(to.out, "{}\n", ended->text);
    return kDone;
  }
  fmt::print(to.out, "{}", task_text(ended->object(), to.out_look, context.now_ms()));
  const json::object* said = object_in(ended->object(), "damage");
  const json::array* open = said != nullptr ? array_in(*said, "open_effects") : nullptr;
  if (open == nullptr || open->empty()) fmt::print(to.out, "no call of it is known to be open\n");
  return kDone;
}

}  // namespace perdure::cli
