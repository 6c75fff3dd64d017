#include "cli/app.h"

#include <fmt/core.h>

#include <CLI/CLI.hpp>

#include "cli/completion.h"
#include "cli/tree.h"

namespace perdure::cli {

void Commands::Flags::add_data_dir(CLI::App* command) {
  command
      ->add_option("--data-dir", place.data_dir,
                   "The server's; else as ./perdure.toml says, else .perdure")
      ->envname("PERDURE_DATA_DIR")
      ->type_name("DIR");
}

void Commands::Flags::add_place(CLI::App* command) {
  command->add_option("--url", place.url, "The server; else <data dir>/address says")
      ->envname("PERDURE_URL");
  command->add_option("--token-file", place.token_file, "The credential; else <data dir>/token")
      ->envname("PERDURE_TOKEN_FILE")
      ->type_name("FILE");
  add_data_dir(command);
  command->add_flag("--json", json, "The server's answer as it is");
}

void Commands::Flags::finish(CLI::App* command, std::function<int(Context&)> does) {
  add_place(command);
  command->callback([this, does = std::move(does)] { chosen = does; });
}

void Commands::Flags::add_completion(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("completion", "Completion for a shell, to be read by it")->group("Server");
  command->add_option("SHELL", shell, "bash, zsh or fish")
      ->required()
      ->check(CLI::IsMember({"bash", "zsh", "fish"}));
  command->callback([this] {
    alone = [this] {
      fmt::print("{}", completion_stub(shell).value_or(""));
      return kDone;
    };
  });
}

Commands::Commands(CLI::App& app) : app_(app), flags_(std::make_unique<Flags>()) {
  flags_->add_run(app);
  flags_->add_tasks(app);
  flags_->add_people(app);
  flags_->add_agents(app);
  flags_->add_tools(app);
  flags_->add_keys(app);
  flags_->add_stop(app);
  flags_->add_completion(app);
}

Commands::~Commands() = default;

void Commands::refuse_empty(CLI::App& app) {
  const CLI::Validator is_given(
      [](const std::string& text) {
        return text.empty() ? std::string("is empty: leave it out, or say a value") : std::string();
      },
      "");
  for (CLI::Option* option : app.get_options()) {
    const bool has_value = !option->get_positional() && option->get_items_expected_max() > 0;
    if (has_value) option->check(is_given);
  }
  for (CLI::App* command : app.get_subcommands({})) refuse_empty(*command);
}

bool Commands::is_named() const {
  return flags_->chosen != nullptr || flags_->alone != nullptr;
}

int Commands::run(const Program& program) const {
  if (flags_->alone) return flags_->alone();
  if (flags_->place.data_dir.empty()) {
    flags_->place.data_dir = data_dir_of(flags_->run.config, program);
  }
  flags_->run.place = flags_->place;
  Client client(program.http, flags_->place);
  Context context{client, program, {}};
  context.to.json = flags_->json;
  context.to.out_look = look_of(stdout);
  context.to.err_look = look_of(stderr);
  return flags_->chosen(context);
}

int Commands::complete(const std::vector<std::string>& words, const Program& program) const {
  const AskWords ask = [&](const std::string& kind, const PlaceFlags& place) {
    PlaceFlags known = place;
    if (known.data_dir.empty()) known.data_dir = data_dir_of(flags_->run.config, program);
    Client client(program.http, known);
    return words_of(client, kind, program.clock.unix_ms());
  };
  fmt::print("{}", completion_text(cli::complete(app_, words, ask)));
  return kDone;
}

}  // namespace perdure::cli
