#pragma once
// One question put to the person at this terminal, until it is decided or left.
#include <string>

#include "cli/commands.h"

namespace perdure::cli {

class Dialogue {
 public:
  enum class Came { kMore, kDecided, kLeft };

  // Shows the whole question on the error output.
  Dialogue(Context& context, json::object question);

  // Asks for the next line.
  void prompt() const;
  // A line that was typed. What comes of it is shown.
  Came take(const std::string& line);

  const json::object& question() const { return question_; }

 private:
  enum class State { kChoice, kWhy, kText, kResult, kSend };

  Came choose(const std::string& word);
  Came ask(State state, json::object body);
  Came send();
  Came send_json(std::string_view member, const std::string& text, std::string_view what);
  Came edit();
  void say(const std::string& text) const;

  Context& context_;
  const json::object question_;
  json::array choices_;
  State state_ = State::kChoice;
  json::object body_;
};

}  // namespace perdure::cli
