#include "cli/completion.h"

#include <CLI/CLI.hpp>

#include "cli/text.h"

namespace perdure::cli {
namespace {

constexpr std::string_view kBash = R"sh(# eval "$(perdure completion bash)"
_perdure() {
  local found
  mapfile -t found < <("$1" __complete "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
  if [[ ${found[0]} == :files ]]; then
    compopt -o filenames
    mapfile -t COMPREPLY < <(compgen -f -- "$2")
  else
    COMPREPLY=("${found[@]%%$'\t'*}")
  fi
}
complete -F _perdure perdure
)sh";

constexpr std::string_view kZsh = R"sh(#compdef perdure
# source <(perdure completion zsh)
_perdure() {
  local -a found shown
  found=("${(@f)$("$words[1]" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if [[ ${found[1]} == :files ]]; then
    _files
  elif [[ -n ${found[1]} ]]; then
    shown=("${(@)found//:/\\:}")
    shown=("${(@)shown/$'\t'/:}")
    _describe perdure shown
  fi
}
compdef _perdure perdure
)sh";

constexpr std::string_view kFish = R"sh(# perdure completion fish | source
function __perdure
  set -l words (commandline -opc)
  set -l found ($words[1] __complete $words[2..] (commandline -ct) 2>/dev/null)
  if test "$found[1]" = ":files"
    __fish_complete_path (commandline -ct)
  else
    printf '%s\n' $found
  end
end
complete -c perdure -f -a '(__perdure)'
)sh";

bool takes_value(const CLI::Option& option) {
  return option.get_items_expected_max() > 0 && option.get_type_size_max() > 0;
}

bool is_named(const CLI::Option& option, const std::string& word) {
  return word.starts_with("--") ? option.check_lname(word.substr(2))
                                : option.check_sname(word.substr(1));
}

const CLI::Option* option_of(const CLI::App& app, const std::string& word) {
  for (const CLI::Option* option : app.get_options()) {
    if (!option->get_positional() && is_named(*option, word)) return option;
  }
  return nullptr;
}

std::vector<const CLI::App*> subcommands_of(const CLI::App& app) {
  return app.get_subcommands(std::function<bool(const CLI::App*)>());
}

const CLI::App* subcommand_of(const CLI::App& app, const std::string& word) {
  for (const CLI::App* sub : subcommands_of(app)) {
    if (sub->get_name() == word) return sub;
  }
  return nullptr;
}

std::vector<const CLI::Option*> positionals_of(const CLI::App& app) {
  std::vector<const CLI::Option*> out;
  for (const CLI::Option* option : app.get_options()) {
    if (option->get_positional()) out.push_back(option);
  }
  return out;
}

// Where the words before the last one lead.
struct Spot {
  const CLI::App* app = nullptr;
  const CLI::Option* value_of = nullptr;  // the option whose value comes next
  size_t positionals = 0;                 // that stand there already
  PlaceFlags place;
};

void keep_place(PlaceFlags& place, const CLI::Option& option, const std::string& value) {
  if (option.check_lname("url")) place.url = value;
  if (option.check_lname("token-file")) place.token_file = value;
  if (option.check_lname("data-dir")) place.data_dir = value;
}

Spot walk(const CLI::App& root, const std::vector<std::string>& words) {
  Spot spot;
  spot.app = &root;
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    const std::string& word = words[i];
    if (spot.value_of != nullptr) {
      keep_place(spot.place, *spot.value_of, word);
      spot.value_of = nullptr;
    } else if (word.size() > 1 && word.starts_with('-')) {
      const CLI::Option* option = option_of(*spot.app, word);
      if (option != nullptr && takes_value(*option)) spot.value_of = option;
    } else if (const CLI::App* sub = subcommand_of(*spot.app, word)) {
      spot.app = sub;
      spot.positionals = 0;
    } else {
      ++spot.positionals;
    }
  }
  return spot;
}

class Collector {
 public:
  explicit Collector(std::string prefix) : prefix_(std::move(prefix)) {}

  void add(const std::string& word, const std::string& meaning = {}) {
    if (word.starts_with(prefix_)) out_.candidates.push_back({word, meaning});
  }
  void add_kind(const std::string& kind, const Spot& spot, const AskWords& ask) {
    if (kind == "FILE" || kind == "DIR") {
      out_.is_file = true;
      return;
    }
    for (const Candidate& one : ask(kind, spot.place)) add(one.word, one.meaning);
  }
  Completion done() && { return std::move(out_); }

 private:
  const std::string prefix_;
  Completion out_;
};

}  // namespace

Completion complete(const CLI::App& root, const std::vector<std::string>& words,
                    const AskWords& ask) {
  const std::string typed = words.empty() ? "" : words.back();
  const Spot spot = walk(root, words);
  Collector found(typed);
  if (spot.value_of != nullptr) {
    found.add_kind(spot.value_of->get_type_name(), spot, ask);
    return std::move(found).done();
  }
  if (typed.starts_with('-')) {
    for (const CLI::Option* option : spot.app->get_options()) {
      if (option->get_positional()) continue;
      for (const std::string& name : option->get_lnames()) {
        found.add("--" + name, option->get_description());
      }
    }
    return std::move(found).done();
  }
  for (const CLI::App* sub : subcommands_of(*spot.app)) {
    found.add(sub->get_name(), sub->get_description());
  }
  const auto positionals = positionals_of(*spot.app);
  if (spot.positionals < positionals.size()) {
    found.add_kind(positionals[spot.positionals]->get_name(true), spot, ask);
  }
  return std::move(found).done();
}

std::string completion_text(const Completion& completion) {
  if (completion.is_file) return ":files\n";
  std::string out;
  for (const Candidate& one : completion.candidates) {
    out += visible(one.word);
    if (!one.meaning.empty()) out += "\t" + visible(one.meaning);
    out += "\n";
  }
  return out;
}

std::optional<std::string> completion_stub(const std::string& shell) {
  if (shell == "bash") return std::string(kBash);
  if (shell == "zsh") return std::string(kZsh);
  if (shell == "fish") return std::string(kFish);
  return std::nullopt;
}

}  // namespace perdure::cli
