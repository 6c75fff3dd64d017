// perdure run, perdure agents
#include <CLI/CLI.hpp>

#include "cli/tree.h"

namespace perdure::cli {

void Commands::Flags::add_run(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("run", "Ask an agent something and follow it")->group("Agents and tasks");
  command->add_option("FILE", run.file, "The agent file")->required();
  command->add_option("INPUT", run.input, "What it is asked; -: read from standard input")
      ->required();
  command->add_flag("--input-json", run.input_is_json, "INPUT is a JSON value, not text");
  command->add_option("--session", run.session, "What it belongs to: a name of yours")
      ->type_name("NAME");
  command->add_flag("--detach", run.detach, "Print the task's id and leave it to the server");
  command->add_flag("--quiet", run.quiet, "Do not tell what happens");
  command->add_option("--config", run.config, "The operator's file, for a server of its own")
      ->capture_default_str()
      ->type_name("FILE");
  finish(command, [this](Context& context) { return run_agent(context, run); });
}

void Commands::Flags::add_agents(CLI::App& app) {
  CLI::App* agents =
      app.add_subcommand("agents", "Agents of a running server")->group("Agents and tasks");
  agents->require_subcommand(1);

  CLI::App* listing = agents->add_subcommand("list", "All of them");
  finish(listing, [](Context& context) { return list_agents(context); });

  CLI::App* show = agents->add_subcommand("show", "One agent");
  show->add_option("AGENT", agent, "Its name")->required();
  finish(show, [this](Context& context) { return show_agent(context, agent); });

  CLI::App* put = agents->add_subcommand("put", "Register an agent file, or a new version of it");
  put->add_option("FILE", file, "The agent file")->required();
  finish(put, [this](Context& context) { return put_agent(context, file); });
}

}  // namespace perdure::cli
