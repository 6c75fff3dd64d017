#pragma once
// From what a person typed to the id that is meant.
#include <functional>
#include <string>

#include "cli/client.h"

namespace perdure::cli {

// `word` is a task's id, or the beginning or end of one that no other of the newest tasks has.
Result<std::string> find_task(Client& client, const std::string& word);

// As the server shows it. `word` is an interrupt's id, its handle (see question.h), or the
// beginning or end of the id that no other open one has.
Result<json::object> find_question(Client& client, const std::string& word);

// "there is no such task" with the nearest one that there is; other errors as they are.
Error with_nearest_task(Client& client, Error error, const std::string& id);

// Every open question, in order of their tasks, until `see` says false.
Status each_question(Client& client, const std::function<bool(const json::object&)>& see);

}  // namespace perdure::cli
