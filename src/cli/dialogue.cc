#include "cli/dialogue.h"

#include <fmt/core.h>

#include "base/text.h"
#include "cli/decision.h"
#include "cli/diff.h"
#include "cli/editor.h"
#include "cli/question.h"
#include "cli/text.h"
#include "cli/words.h"

namespace perdure::cli {
namespace {

struct Choice {
  char key;
  std::string_view decision, words;
};

// In the order in which they are offered; a key stands for one of those that are allowed.
constexpr Choice kChoices[] = {{'a', "approve", "[a]pprove"},
                               {'e', "edit", "[e]dit"},
                               {'r', "reject", "[r]eject"},
                               {'t', "respond", "[t]ell it something"},
                               {'h', "happened", "it [h]appened"},
                               {'n', "not_happened", "it did [n]ot happen"},
                               {'d', "dismiss", "[d]ismiss: it stays unknown"}};

std::string trimmed(const std::string& text) {
  const size_t begin = text.find_first_not_of(" \t\r");
  if (begin == std::string::npos) return {};
  return text.substr(begin, text.find_last_not_of(" \t\r") - begin + 1);
}

}  // namespace

Dialogue::Dialogue(Context& context, json::object question)
    : context_(context), question_(std::move(question)) {
  const json::object* asked = object_in(question_, "question");
  const json::array* choices = asked != nullptr ? array_in(*asked, "choices") : nullptr;
  if (choices != nullptr) choices_ = *choices;
  fmt::print(context_.to.err, "\n{}",
             question_text(question_, context_.to.err_look, context_.now_ms()));
}

void Dialogue::say(const std::string& text) const {
  fmt::print(context_.to.err, "{}\n", visible(text));
}

void Dialogue::prompt() const {
  std::string text;
  switch (state_) {
    case State::kChoice:
      for (const Choice& choice : kChoices) {
        if (allows(question_, choice.decision)) text += std::string(choice.words) + ", ";
      }
      text += "[l]eave it";
      break;
    case State::kWhy:
      text = "why, for the model and the journal (empty: no reason)";
      break;
    case State::kText:
      text = !choices_.empty()         ? "the number of a choice, or its words"
             : has_defaults(question_) ? "your answer, as JSON (empty: the defaults)"
             : wants_json(question_)   ? "your answer, as JSON"
                                       : "your answer";
      break;
    case State::kResult:
      text = "what came of it, as JSON (empty: not known)";
      break;
    case State::kSend:
      text = "send it so? [y/N]";
      break;
  }
  fmt::print(context_.to.err, "{} ", context_.to.err_look.paint(Ink::kBold, text + ":"));
  std::fflush(context_.to.err);
}

Dialogue::Came Dialogue::take(const std::string& line) {
  const std::string text = trimmed(line);
  switch (state_) {
    case State::kChoice:
      return choose(text);
    case State::kWhy:
      if (!text.empty()) body_["message"] = text;
      return send();
    case State::kText:
      if (text.empty() && has_defaults(question_)) return send_json("value", "{}", "the answer");
      if (text.empty()) return ask(State::kChoice, {});
      if (const auto number = parse_u64(text);
          number && *number > 0 && *number <= choices_.size()) {
        body_["value"] = choices_[*number - 1];
      } else if (choices_.empty() && wants_json(question_)) {
        return send_json("value", text, "the answer");
      } else {
        body_["message"] = text;
      }
      return send();
    case State::kResult:
      return text.empty() ? send() : send_json("result", text, "the result");
    case State::kSend:
      return text == "y" || text == "yes" ? send() : ask(State::kChoice, {});
  }
  return Came::kMore;
}

Dialogue::Came Dialogue::send_json(std::string_view member, const std::string& text,
                                   std::string_view what) {
  auto value = parse_json(text, what);
  if (!value) {
    say(value.error().message);
    return Came::kMore;
  }
  body_[member] =
      member == "value" ? with_defaults(question_, std::move(*value)) : std::move(*value);
  return send();
}

Dialogue::Came Dialogue::ask(State state, json::object body) {
  state_ = state;
  body_ = std::move(body);
  return Came::kMore;
}

Dialogue::Came Dialogue::choose(const std::string& word) {
  if (word == "l" || word == "leave") return Came::kLeft;
  for (const Choice& choice : kChoices) {
    const bool is_named = word == choice.decision || word == std::string(1, choice.key);
    if (!is_named || !allows(question_, choice.decision)) continue;
    json::object body{{"decision", choice.decision}};
    if (choice.key == 'a') {
      if (json::object add = least_addition(question_); !add.empty()) body["add"] = std::move(add);
      ask(State::kChoice, std::move(body));
      return send();
    }
    if (choice.key == 'e') return edit();
    if (choice.key == 'r') return ask(State::kWhy, std::move(body));
    if (choice.key == 't') return ask(State::kText, std::move(body));
    if (choice.key == 'h') return ask(State::kResult, std::move(body));
    ask(State::kChoice, std::move(body));
    return send();
  }
  if (!word.empty()) say("'" + word + "' is none of them");
  return Came::kMore;
}

Dialogue::Came Dialogue::edit() {
  const auto before = args_text(question_);
  const auto after = before ? edited(*before) : before;
  const auto args = after ? parse_args(*after) : tl::unexpected(after.error());
  if (!args) {
    say(args.error().message);
    return ask(State::kChoice, {});
  }
  const std::string diff = diff_text(*before, pretty_json(*args) + "\n", context_.to.err_look);
  if (diff.empty()) {
    say("nothing was changed");
    return ask(State::kChoice, {});
  }
  fmt::print(context_.to.err, "{}", diff);
  return ask(State::kSend, {{"decision", "edit"}, {"args", *args}});
}

Dialogue::Came Dialogue::send() {
  const auto done = send_decision(context_.client, question_, std::move(body_));
  ask(State::kChoice, {});
  if (!done) {
    say(done.error().message);
    // Somebody else was faster: there is nothing to decide any more.
    return done.error().code == Code::kConflict ? Came::kLeft : Came::kMore;
  }
  say(decided_text(*done));
  return Came::kDecided;
}

}  // namespace perdure::cli
