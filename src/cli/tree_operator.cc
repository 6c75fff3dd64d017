// perdure tools, perdure keys
#include <CLI/CLI.hpp>

#include "cli/own_server.h"
#include "cli/tree.h"

namespace perdure::cli {

void Commands::Flags::add_tools(CLI::App& app) {
  CLI::App* tools =
      app.add_subcommand("tools", "Tools and the servers that offer them")->group("Server");
  tools->require_subcommand(1);

  CLI::App* listing = tools->add_subcommand("list", "All of them, with what is declared");
  finish(listing, [](Context& context) { return list_tools(context); });

  CLI::App* check = tools->add_subcommand("check", "Reach them, and say what is left to declare");
  check->add_option("--config", run.config, "The operator's file, for a server of its own")
      ->capture_default_str()
      ->type_name("FILE");
  finish(check, [this](Context& context) { return check_tools(context, run.config); });

  CLI::App* accept = tools->add_subcommand("accept", "Let be called what a server offers now");
  accept->add_option("SERVER", server, "Its name")->required();
  finish(accept, [this](Context& context) { return accept_tools(context, server); });
}

void Commands::Flags::add_stop(CLI::App& app) {
  CLI::App* stop = app.add_subcommand("stop", "End the server of a data directory; its tasks stay")
                       ->group("Server");
  add_data_dir(stop);
  stop->callback([this] { chosen = [](Context& context) { return stop_server(context); }; });
}

void Commands::Flags::add_keys(CLI::App& app) {
  CLI::App* keys = app.add_subcommand("keys", "Who may ask the server, and what")->group("Server");
  keys->require_subcommand(1);

  CLI::App* create = keys->add_subcommand("create", "Make a key and print its secret");
  create->add_option("NAME", key.name, "Who it is, in the journals of tasks")->required();
  create->add_option("--scopes", key.scopes, "Some of run, approve, agents, plan, admin")
      ->required()
      ->delimiter(',')
      ->type_name("SCOPE");
  create->add_option("--tenant", key.tenant, "Else your own");
  create->add_option("--expires", key.expires, "In so long, such as 30d, or a time");
  finish(create, [this](Context& context) { return create_key(context, key); });

  CLI::App* listing = keys->add_subcommand("list", "All of them, without their secrets");
  finish(listing, [](Context& context) { return list_keys(context); });

  CLI::App* remove = keys->add_subcommand("delete", "Take a key no longer");
  remove->add_option("KEY", key.name, "Its id")->required();
  finish(remove, [this](Context& context) { return delete_key(context, key.name); });
}

}  // namespace perdure::cli
