#pragma once
// The tree of the commands and what it reads into. Only for the files that add a part of it.
#include <functional>

#include "cli/agents.h"
#include "cli/app.h"
#include "cli/commands.h"
#include "cli/keys.h"
#include "cli/run.h"
#include "cli/tools.h"

namespace CLI {
class App;
}

namespace perdure::cli {

struct Commands::Flags {
  PlaceFlags place;
  bool json = false;
  ListFlags list;
  SubmitFlags submit;
  InboxFlags inbox;
  DecisionFlags decision;
  RunFlags run;
  std::string task;
  std::string reason;
  std::string agent;
  std::string server;
  KeyFlags key;
  std::string file;
  std::string shell;
  bool normalised = false;
  bool follow = false;
  bool yes = false;
  std::function<int(Context&)> chosen;
  std::function<int()> alone;  // of a command that needs no server

  void add_tasks(CLI::App& app);
  void add_people(CLI::App& app);
  void add_agents(CLI::App& app);
  void add_run(CLI::App& app);
  void add_tools(CLI::App& app);
  void add_keys(CLI::App& app);
  void add_stop(CLI::App& app);
  void add_completion(CLI::App& app);

  void add_data_dir(CLI::App* command);
  // What every command takes that speaks to a server.
  void add_place(CLI::App* command);
  // The same, and what it does.
  void finish(CLI::App* command, std::function<int(Context&)> run);
};

}  // namespace perdure::cli
