#pragma once
// What can stand at a place of the command line, for the completion of shells. The answers come
// from the same tree that reads the command line.
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "cli/client.h"

namespace CLI {
class App;
}

namespace perdure::cli {

struct Candidate {
  std::string word;
  std::string meaning;  // may be empty
};

struct Completion {
  std::vector<Candidate> candidates;
  bool is_file = false;  // the shell knows files
};

// Asks a server for the words of a kind: "TASK", "ID", "AGENT" and the like.
using AskWords =
    std::function<std::vector<Candidate>(const std::string& kind, const PlaceFlags& place)>;

// What the server of `client` knows of them.
std::vector<Candidate> words_of(Client& client, const std::string& kind, int64_t now_ms);

// `words`: what stands behind the program's name; the last one is being typed, and may be empty.
Completion complete(const CLI::App& root, const std::vector<std::string>& words,
                    const AskWords& ask);

// For stubs of shells: a word a line, with its meaning behind a tab; ":files" alone for files.
std::string completion_text(const Completion& completion);

// The stub of bash, zsh or fish, to be read by the shell; nothing for another one.
std::optional<std::string> completion_stub(const std::string& shell);

}  // namespace perdure::cli
