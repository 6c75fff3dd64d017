#include "cli/find.h"

#include <fmt/core.h>

#include "base/id.h"
#include "base/percent.h"
#include "base/text.h"
#include "cli/question.h"
#include "cli/text.h"
#include "cli/words.h"

namespace perdure::cli {
namespace {

constexpr int kPagesMax = 5;
constexpr size_t kPageTasks = 200;
constexpr size_t kWordMinBytes = 4;
constexpr size_t kNamedMax = 5;

// Ids stand in paths: what is not an id is not sent.
bool is_word(const std::string& text) {
  return text.size() >= kWordMinBytes &&
         text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_") == std::string::npos;
}

std::vector<std::string> damaged_tasks(Client& client) {
  std::vector<std::string> ids;
  const auto answer = client.get("/v1/tasks?status=damaged&limit=200", "tasks");
  const json::array* tasks = answer ? array_in(answer->object(), "tasks") : nullptr;
  for (size_t i = 0; tasks != nullptr && i < tasks->size(); ++i) {
    if (const json::object* task = (*tasks)[i].if_object()) ids.push_back(text_at(*task, "id"));
  }
  return ids;
}

// And those that are damaged, of which a list may know no more whose they are.
Result<std::vector<std::string>> newest_tasks(Client& client) {
  std::vector<std::string> ids = damaged_tasks(client);
  std::string cursor;
  for (int page = 0; page < kPagesMax; ++page) {
    TRY_ASSIGN(const Answer answer,
               client.get(fmt::format("/v1/tasks?limit={}{}{}", kPageTasks,
                                      cursor.empty() ? "" : "&cursor=", percent_encode(cursor)),
                          "tasks"));
    const json::object& list = answer.object();
    const json::array* tasks = array_in(list, "tasks");
    for (size_t i = 0; tasks != nullptr && i < tasks->size(); ++i) {
      const json::object* task = (*tasks)[i].if_object();
      if (task != nullptr && text_at(*task, "status") != "damaged") {
        ids.push_back(text_at(*task, "id"));
      }
    }
    cursor = text_at(list, "next_cursor");
    if (cursor.empty()) break;
  }
  return ids;
}

bool is_meant(const std::string& id, const std::string& word) {
  const size_t bare = id.find('_') + 1;
  return id.starts_with(word) || id.ends_with(word) ||
         std::string_view(id).substr(bare).starts_with(word);
}

Result<std::string> the_one(const std::vector<std::string>& ids, const std::string& word,
                            std::string_view what, std::string_view list) {
  std::vector<std::string> meant;
  for (const std::string& id : ids) {
    if (is_meant(id, word)) meant.push_back(id);
  }
  if (meant.size() == 1) return meant.front();
  if (meant.empty()) {
    const auto near = nearest_word(word, ids);
    return fail(Code::kNotFound,
                fmt::format("no {} has an id that begins or ends with '{}'{}; '{}' shows them",
                            what, word, near ? ", the nearest is " + *near : "", list));
  }
  std::string named;
  for (size_t i = 0; i < meant.size() && i < kNamedMax; ++i) named += "\n  " + meant[i];
  if (meant.size() > kNamedMax) named += "\n  ...";
  return fail(Code::kInvalid,
              fmt::format("'{}' fits {} ids; say more of it:{}", word, meant.size(), named));
}

// A handle of a newer task, whether its question is open or not, or of any open question.
Result<std::string> from_handle(Client& client, const std::string& word, size_t dot) {
  const auto seq = parse_u64(word.substr(dot + 1));
  if (!seq) {
    return fail(Code::kInvalid,
                fmt::format("'{}' names no question: see 'perdure inbox'", visible(word)));
  }
  auto task = find_task(client, word.substr(0, dot));
  if (task) return InterruptId{*TaskId::parse(*task), *seq}.to_string();
  std::string id;
  TRY_STATUS(each_question(client, [&](const json::object& question) {
    const std::string one = text_at(question, "id");
    if (handle_of(one) == word) id = one;
    return id.empty();
  }));
  if (id.empty()) return tl::unexpected(task.error());
  return id;
}

}  // namespace

Result<std::string> find_task(Client& client, const std::string& word) {
  if (TaskId::parse(word)) return word;
  if (!is_word(word)) {
    return fail(Code::kInvalid,
                fmt::format("'{}' is not the id of a task, and not {} or more characters of one",
                            visible(word), kWordMinBytes));
  }
  TRY_ASSIGN(const std::vector<std::string> ids, newest_tasks(client));
  return the_one(ids, word, "task", "perdure tasks list");
}

Error with_nearest_task(Client& client, Error error, const std::string& id) {
  if (error.code != Code::kNotFound) return error;
  const auto ids = newest_tasks(client);
  const auto near = ids ? nearest_word(id, *ids) : std::nullopt;
  error.message +=
      near ? "; the nearest is " + *near : "; 'perdure tasks list' shows what there is";
  return error;
}

Status each_question(Client& client, const std::function<bool(const json::object&)>& see) {
  std::string cursor;
  do {
    TRY_ASSIGN(const Answer answer,
               client.get("/v1/interrupts?limit=200" +
                              (cursor.empty() ? "" : "&cursor=" + percent_encode(cursor)),
                          "interrupts"));
    const json::object& page = answer.object();
    const json::array* items = array_in(page, "interrupts");
    for (size_t i = 0; items != nullptr && i < items->size(); ++i) {
      const json::object* item = (*items)[i].if_object();
      if (item != nullptr && !see(*item)) return {};
    }
    cursor = text_at(page, "next_cursor");
  } while (!cursor.empty());
  return {};
}

Result<json::object> find_question(Client& client, const std::string& word) {
  std::string id = word;
  if (!InterruptId::parse(word)) {
    if (const size_t dot = word.find('.'); dot != std::string::npos) {
      TRY_ASSIGN(id, from_handle(client, word, dot));
    } else if (!is_word(word)) {
      return fail(
          Code::kInvalid,
          fmt::format("'{}' is not the id of a question: see 'perdure inbox'", visible(word)));
    } else {
      std::vector<std::string> ids;
      TRY_STATUS(each_question(client, [&](const json::object& question) {
        ids.push_back(text_at(question, "id"));
        return true;
      }));
      TRY_ASSIGN(id, the_one(ids, word, "question", "perdure inbox"));
    }
  }
  auto answer = client.get("/v1/interrupts/" + id, "reason");
  if (!answer && answer.error().code == Code::kNotFound) {
    answer.error().message += "; 'perdure inbox' shows what is open";
  }
  if (!answer) return tl::unexpected(answer.error());
  return answer->object();
}

}  // namespace perdure::cli
