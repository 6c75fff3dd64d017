#pragma once
// What a person is asked, as one screen, and the words that answer it. Pure.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "cli/look.h"

namespace perdure::cli {

// A short name of an interrupt that can be read aloud: the end of its task's id and the number of
// the record that asks, "b1fzj6yg.9". It does not come to mean another question.
std::string handle_of(const std::string& interrupt_id);

// "tool_approval" -> "approval" and so on.
std::string reason_text(std::string_view reason);

bool allows(const json::object& interrupt, std::string_view decision);
// Is this text one of the choices?
// No text can be what the question asks for: so says the server.
bool wants_json(const json::object& interrupt);
bool offers(const json::object& interrupt, std::string_view answer);
// The commands that answer it, the first one first.
std::vector<std::string> commands_of(const json::object& interrupt);

// All of it: who asks, since when, until when, for whom, what exactly would happen, and how to
// answer.
std::string question_text(const json::object& interrupt, const Look& look, int64_t now_ms);

}  // namespace perdure::cli
