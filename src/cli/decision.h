#pragma once
// A person's decision on its way to the server.
#include <string>

#include "cli/client.h"

namespace perdure::cli {

// Sends it, bound to the arguments that `question` shows: {"decision", "repeated", ...}.
Result<json::object> send_decision(Client& client, const json::object& question, json::object body);
// "approve b1fzj6yg.9: recorded"
std::string decided_text(const json::object& done);

// The least that a budget must be raised by so that the task goes on; empty if that is not the
// question.
json::object least_addition(const json::object& question);

// A person's answer with the defaults of the form's fields (the `default` of a property) for what
// was left out; as it is where the question has no form.
json::value with_defaults(const json::object& question, json::value answer);
// Every field that must be filled in has a default, and one has.
bool has_defaults(const json::object& question);

// The arguments of the call that is asked about, as a person edits them.
Result<std::string> args_text(const json::object& question);
Result<json::value> parse_args(const std::string& text);

}  // namespace perdure::cli
