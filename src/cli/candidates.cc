// The words that a server knows, for completion.
#include "cli/completion.h"
#include "cli/find.h"
#include "cli/moments.h"
#include "cli/question.h"
#include "cli/words.h"

namespace perdure::cli {
namespace {

constexpr size_t kQuestionsMax = 100;

std::vector<Candidate> tasks(Client& client, int64_t now_ms) {
  std::vector<Candidate> out;
  const auto answer = client.get("/v1/tasks?limit=100", "tasks");
  const json::array* list = answer ? array_in(answer->object(), "tasks") : nullptr;
  for (size_t i = 0; list != nullptr && i < list->size(); ++i) {
    const json::object* task = (*list)[i].if_object();
    if (task == nullptr) continue;
    out.push_back({text_at(*task, "id"), text_at(*task, "agent") + ", " + text_at(*task, "status") +
                                             ", " +
                                             relative_text(text_at(*task, "created_at"), now_ms)});
  }
  return out;
}

std::vector<Candidate> questions(Client& client) {
  std::vector<Candidate> out;
  static_cast<void>(each_question(client, [&](const json::object& question) {
    const json::object* action = object_in(question, "action");
    out.push_back({handle_of(text_at(question, "id")),
                   reason_text(text_at(question, "reason")) +
                       (action != nullptr ? " " + text_at(*action, "tool") : "")});
    return out.size() < kQuestionsMax;
  }));
  return out;
}

// The `name` of each of the objects that a list has.
std::vector<Candidate> named(Client& client, const std::string& path, const char* list,
                             const char* name) {
  std::vector<Candidate> out;
  const auto answer = client.get(path, list);
  const json::array* items = answer ? array_in(answer->object(), list) : nullptr;
  for (size_t i = 0; items != nullptr && i < items->size(); ++i) {
    const json::object* item = (*items)[i].if_object();
    if (item != nullptr) out.push_back({text_at(*item, name), {}});
  }
  return out;
}

std::vector<Candidate> plain(std::initializer_list<const char*> words) {
  std::vector<Candidate> out;
  for (const char* word : words) out.push_back({word, {}});
  return out;
}

}  // namespace

std::vector<Candidate> words_of(Client& client, const std::string& kind, int64_t now_ms) {
  if (kind == "TASK") return tasks(client, now_ms);
  if (kind == "ID") return questions(client);
  if (kind == "AGENT") return named(client, "/v1/agents?limit=200", "agents", "name");
  if (kind == "SERVER") return named(client, "/v1/tools?limit=1", "servers", "name");
  if (kind == "KEY") return named(client, "/v1/keys?limit=200", "keys", "id");
  if (kind == "SCOPE") return plain({"run", "approve", "agents", "plan", "admin"});
  if (kind == "SHELL") return plain({"bash", "zsh", "fish"});
  if (kind == "STATUS") {
    return plain(
        {"pending", "working", "input_required", "completed", "failed", "cancelled", "damaged"});
  }
  if (kind == "ANSWER") return plain({"happened", "not_happened", "dismiss"});
  if (kind == "DECISION") {
    return plain({"approve", "edit", "reject", "respond", "happened", "not_happened", "dismiss"});
  }
  return {};
}

}  // namespace perdure::cli
