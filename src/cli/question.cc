#include "cli/question.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/id.h"
#include "cli/moments.h"
#include "cli/text.h"
#include "cli/words.h"

namespace perdure::cli {
namespace {

constexpr size_t kHandleBytes = 8;  // of the task's id: 38 random bits
constexpr size_t kNameColumns = 8;

struct Words {
  std::string_view word, text;
};

constexpr Words kReasons[] = {
    {"tool_approval", "approval"},    {"uncertain_outcome", "doubt"},
    {"possible_duplicate", "again?"}, {"budget_reached", "budget"},
    {"loop_detected", "loop"},        {"planner_failed", "planner failed"},
    {"provider_refusal", "refusal"},  {"auth_required", "credential"}};

constexpr Words kEffects[] = {{"read", "changes nothing"},
                              {"repeat", "may run more than once"},
                              {"idempotent", "may be sent again with its key"},
                              {"probe", "can be checked afterwards"},
                              {"once", "is never sent twice"}};

template <size_t n>
std::string_view word_for(const Words (&table)[n], std::string_view word) {
  for (const Words& row : table) {
    if (row.word == word) return row.text;
  }
  return {};
}

class Screen {
 public:
  explicit Screen(const Look& look) : look_(look) {}

  // Lines after the first stand under it.
  void put(std::string_view name, std::string_view text, Ink ink = Ink::kPlain) {
    if (text.empty()) return;
    std::string_view shown = name;
    while (!text.empty()) {
      const size_t end = text.find('\n');
      out_ += "  " + look_.paint(Ink::kDim, fmt::format("{:<{}}", shown, kNameColumns)) + "  " +
              look_.paint(ink, text.substr(0, end)) + "\n";
      text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
      shown = {};
    }
  }
  void title(const std::string& reason, const std::string& message) {
    out_ += look_.paint(Ink::kYellow, reason) + "  " + look_.paint(Ink::kBold, message) + "\n";
  }
  std::string text() && { return std::move(out_); }

 private:
  const Look look_;
  std::string out_;
};

std::string until_text(const json::object& interrupt, int64_t now_ms) {
  const std::string until = text_at(interrupt, "expires_at");
  if (until.empty()) return {};
  std::string out = relative_text(until, now_ms);
  if (const std::string then = text_at(interrupt, "on_expire"); !then.empty()) {
    out += ", then " + then;
  }
  return visible(out);
}

std::string names_text(const json::object& interrupt, std::string_view member) {
  std::string out;
  const json::array* names = array_in(interrupt, member);
  for (size_t i = 0; names != nullptr && i < names->size(); ++i) {
    const json::value& name = (*names)[i];
    out +=
        (i > 0 ? ", " : "") + (name.is_string() ? std::string(name.get_string()) : to_json(name));
  }
  return visible(out);
}

void put_action(Screen& screen, const json::object& action) {
  const std::string effect = text_at(action, "effect");
  const std::string tool = text_at(action, "tool");
  const std::string name = tool.empty() ? "model " + text_at(action, "model") : tool;
  const std::string_view meaning = word_for(kEffects, effect);
  screen.put("call",
             visible(meaning.empty() ? name : fmt::format("{}  ({}: {})", name, effect, meaning)),
             Ink::kBold);
  if (const json::value* args = action.if_contains("args")) {
    screen.put("with", visible_lines(pretty_json(*args)), Ink::kCyan);
  }
  if (const json::object* omitted = object_in(action, "args_omitted")) {
    screen.put("with",
               visible(fmt::format("{} bytes, not shown: sha256 {}",
                                   text_at(*omitted, "size_bytes"), text_at(*omitted, "sha256"))));
  }
  screen.put("to", visible(text_at(action, "to")));
  const std::string key = text_at(action, "key");
  const std::string key_in = text_at(action, "key_in");
  screen.put("key", visible(key_in.empty() ? key : fmt::format("{}  (in {})", key, key_in)));
  screen.put("check", visible_lines(text_at(action, "check")));
}

// What may have happened already, for a doubt.
void put_sends(Screen& screen, const json::object& interrupt, int64_t now_ms) {
  const json::object* action = object_in(interrupt, "action");
  const json::array* sends = action != nullptr ? array_in(*action, "sent") : nullptr;
  std::string out;
  for (size_t i = 0; sends != nullptr && i < sends->size(); ++i) {
    const json::object* send = (*sends)[i].if_object();
    if (send == nullptr) continue;
    out += visible(fmt::format("attempt {}, {}: {}  {}", text_at(*send, "attempt"),
                               relative_text(text_at(*send, "at"), now_ms),
                               text_at(*send, "outcome"), text_at(*send, "detail"))) +
           "\n";
  }
  screen.put("sent", out);
}

// What an answer may be, where it is not any text.
void put_wanted(Screen& screen, const json::object& interrupt) {
  const json::object* question = object_in(interrupt, "question");
  if (question == nullptr) return;
  std::string out;
  const json::array* choices = array_in(*question, "choices");
  for (size_t i = 0; choices != nullptr && i < choices->size(); ++i) {
    const json::value& one = (*choices)[i];
    out += visible(one.is_string() ? std::string(one.get_string()) : to_json(one)) + "\n";
  }
  screen.put("one of", out);
  const json::value* schema = question->if_contains("schema");
  if (schema != nullptr && !schema->is_null()) {
    screen.put("fits", visible_lines(pretty_json(*schema)));
  }
}

std::string decided_text(const json::object& interrupt, int64_t now_ms) {
  std::string out = text_at(interrupt, "decision");
  if (const std::string by = text_at(interrupt, "resolved_by"); !by.empty()) out += " by " + by;
  if (const std::string at = text_at(interrupt, "resolved_at"); !at.empty()) {
    out += ", " + relative_text(at, now_ms);
  }
  if (const std::string why = text_at(interrupt, "answer_message"); !why.empty()) {
    out += ": " + why;
  }
  return visible(out);
}

// A budget is raised by at least what the next call needs.
std::string add_flags(const json::object& interrupt) {
  std::string out;
  const json::array* answers = array_in(interrupt, "answers");
  for (size_t i = 0; answers != nullptr && i < answers->size(); ++i) {
    const json::object* answer = (*answers)[i].if_object();
    const json::object* body = answer != nullptr ? object_in(*answer, "body") : nullptr;
    const json::object* add = body != nullptr ? object_in(*body, "add") : nullptr;
    if (add == nullptr) continue;
    for (const auto& [member, flag] :
         {Words{"cost_usd", "--add-usd"}, Words{"model_calls", "--add-model-calls"},
          Words{"tool_calls", "--add-tool-calls"}}) {
      const json::value* amount = add->if_contains(member);
      if (amount == nullptr || !amount->is_number() || amount->to_number<double>() <= 0) continue;
      out += fmt::format(" {} {}", flag, amount->to_number<double>());
    }
  }
  return out;
}

}  // namespace

std::string handle_of(const std::string& interrupt_id) {
  const auto id = InterruptId::parse(interrupt_id);
  if (!id) return visible(interrupt_id);
  const std::string task = id->task.to_string();
  return fmt::format("{}.{}", task.substr(task.size() - kHandleBytes), id->seq);
}

std::string reason_text(std::string_view reason) {
  const std::string_view known = word_for(kReasons, reason);
  return visible(known.empty() ? reason : known);
}

bool allows(const json::object& interrupt, std::string_view decision) {
  const json::array* allowed = array_in(interrupt, "allowed_decisions");
  for (size_t i = 0; allowed != nullptr && i < allowed->size(); ++i) {
    const json::value& one = (*allowed)[i];
    if (one.is_string() && one.get_string() == decision) return true;
  }
  return false;
}

bool wants_json(const json::object& interrupt) {
  const json::array* answers = array_in(interrupt, "answers");
  return answers != nullptr &&
         std::any_of(answers->begin(), answers->end(), [](const json::value& answer) {
           const json::object* one = answer.if_object();
           const json::object* body = one != nullptr ? object_in(*one, "body") : nullptr;
           return body != nullptr && text_at(*body, "decision") == "respond" &&
                  body->contains("value");
         });
}

bool offers(const json::object& interrupt, std::string_view answer) {
  const json::object* question = object_in(interrupt, "question");
  const json::array* choices = question != nullptr ? array_in(*question, "choices") : nullptr;
  return choices != nullptr &&
         std::find(choices->begin(), choices->end(), json::value(answer)) != choices->end();
}

std::vector<std::string> commands_of(const json::object& interrupt) {
  const std::string handle = handle_of(text_at(interrupt, "id"));
  const auto command = [&](std::string_view words, std::string_view more = {}) {
    return fmt::format("perdure {} {}{}", words, handle, more);
  };
  std::vector<std::string> out;
  if (allows(interrupt, "approve")) out.push_back(command("approve", add_flags(interrupt)));
  if (allows(interrupt, "edit")) out.push_back(command("edit"));
  if (allows(interrupt, "reject")) out.push_back(command("reject", " --message 'WHY'"));
  if (allows(interrupt, "respond")) {
    out.push_back(command("answer", wants_json(interrupt) ? " --value 'JSON'" : " 'TEXT'"));
  }
  if (allows(interrupt, "happened")) out.push_back(command("answer", " happened --result 'JSON'"));
  if (allows(interrupt, "not_happened")) out.push_back(command("answer", " not_happened"));
  if (allows(interrupt, "dismiss")) out.push_back(command("answer", " dismiss"));
  return out;
}

std::string question_text(const json::object& interrupt, const Look& look, int64_t now_ms) {
  Screen screen(look);
  const std::string message = text_at(interrupt, "message");
  const bool has_lines = message.find('\n') != std::string::npos;
  screen.title(reason_text(text_at(interrupt, "reason")), has_lines ? "" : visible(message));
  if (has_lines) screen.put("asks", visible_lines(message), Ink::kBold);
  const std::string id = text_at(interrupt, "id");
  screen.put("id", fmt::format("{}  ({})", handle_of(id), visible(id)));
  screen.put("task", visible(fmt::format("{} of agent {}", text_at(interrupt, "task"),
                                         text_at(interrupt, "agent"))));
  screen.put("since", visible(relative_text(text_at(interrupt, "created_at"), now_ms)));
  screen.put("until", until_text(interrupt, now_ms));
  screen.put("for", names_text(interrupt, "assignees"));
  if (const json::object* action = object_in(interrupt, "action")) put_action(screen, *action);
  put_sends(screen, interrupt, now_ms);
  put_wanted(screen, interrupt);
  const std::string status = text_at(interrupt, "status");
  if (status == "damaged") {
    screen.put("answer", "cannot be answered: its task is damaged");
    return std::move(screen).text();
  }
  if (!status.empty() && status != "open") {
    screen.put(visible(status), decided_text(interrupt, now_ms));
    return std::move(screen).text();
  }
  std::string answers;
  for (const std::string& command : commands_of(interrupt)) answers += command + "\n";
  screen.put("answer", answers);
  return std::move(screen).text();
}

}  // namespace perdure::cli
