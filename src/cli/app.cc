#include "cli/app.h"

#include <CLI/CLI.hpp>
#include <functional>

#include "cli/commands.h"

namespace perdure::cli {

struct Commands::Flags {
  std::string url;
  std::string token_file;
  std::string data_dir = ".perdure";
  Output to;
  ListFlags list;
  SubmitFlags submit;
  ResolveFlags resolve;
  std::string task;
  std::string reason;
  bool normalised = false;
  std::function<int(Client&)> chosen;

  // What every command takes, and what it does.
  void finish(CLI::App* command, std::function<int(Client&)> run) {
    command->add_option("--url", url, "The server; else <data dir>/address says");
    command->add_option("--token-file", token_file, "The credential; else <data dir>/token");
    command->add_option("--data-dir", data_dir, "The server's data directory")
        ->capture_default_str();
    command->add_flag("--json", to.json, "The server's answer as it is");
    command->callback([this, run = std::move(run)] { chosen = run; });
  }

  void add_task_commands(CLI::App& app);
  void add_people_commands(CLI::App& app);
};

void Commands::Flags::add_task_commands(CLI::App& app) {
  CLI::App* tasks = app.add_subcommand("tasks", "Tasks of a running server");
  tasks->require_subcommand(1);

  CLI::App* listing = tasks->add_subcommand("list", "The newest tasks");
  listing->add_option("--status", list.status, "Only these, e.g. working");
  listing->add_option("--agent", list.agent, "Only this agent's");
  listing->add_option("--limit", list.limit, "At most so many")->capture_default_str();
  finish(listing, [this](Client& client) { return list_tasks(client, list, to); });

  CLI::App* show = tasks->add_subcommand("show", "One task");
  show->add_option("ID", task, "The task")->required();
  finish(show, [this](Client& client) { return show_task(client, task, to); });

  CLI::App* journal = tasks->add_subcommand("journal", "What was recorded");
  journal->add_option("ID", task, "The task")->required();
  journal->add_flag("--normalised", normalised, "Without what differs between two equal runs");
  finish(journal, [this](Client& client) { return show_journal(client, task, normalised, to); });

  CLI::App* cancel = tasks->add_subcommand("cancel", "End a task");
  cancel->add_option("ID", task, "The task")->required();
  cancel->add_option("--reason", reason, "Why, for the journal");
  finish(cancel, [this](Client& client) { return cancel_task(client, task, reason, to); });

  CLI::App* submitting = tasks->add_subcommand("submit", "Start a task");
  submitting->add_option("AGENT", submit.agent, "The agent's name")->required();
  submitting->add_option("INPUT_JSON", submit.input_json, "A JSON value")->required();
  submitting->add_option("--key", submit.key, "Idempotency key: the same again is the same task");
  submitting->add_flag("--wait", submit.wait, "Until it has ended or asks somebody");
  finish(submitting, [this](Client& client) { return submit_task(client, submit, to); });
}

void Commands::Flags::add_people_commands(CLI::App& app) {
  CLI::App* inbox = app.add_subcommand("inbox", "What people are asked");
  finish(inbox, [this](Client& client) { return show_inbox(client, to); });

  CLI::App* deciding = app.add_subcommand("resolve", "Answer what is asked");
  deciding->add_option("INTERRUPT_ID", resolve.interrupt, "See perdure inbox")->required();
  deciding
      ->add_option("DECISION", resolve.decision,
                   "approve, reject, happened, not_happened or dismiss")
      ->required();
  deciding->add_option("--message", resolve.message, "For the journal and the model");
  deciding->add_option("--result", resolve.result_json, "happened: what came of it, as JSON");
  deciding->add_option("--add-usd", resolve.add_usd, "budget_reached: more money");
  deciding->add_option("--add-model-calls", resolve.add_model_calls, "budget_reached: more calls");
  deciding->add_option("--add-tool-calls", resolve.add_tool_calls, "budget_reached: more calls");
  deciding->add_flag("--remember", resolve.remember, "possible_duplicate: do not ask again");
  finish(deciding, [this](Client& client) { return resolve_interrupt(client, resolve, to); });
}

Commands::Commands(CLI::App& app) : flags_(std::make_unique<Flags>()) {
  flags_->add_task_commands(app);
  flags_->add_people_commands(app);
}

Commands::~Commands() = default;

bool Commands::is_named() const {
  return flags_->chosen != nullptr;
}

int Commands::run(HttpClient& http) const {
  auto place = find_place(flags_->url, flags_->token_file, flags_->data_dir);
  if (!place) return report(place.error(), flags_->to);
  Client client(http, std::move(*place));
  return flags_->chosen(client);
}

}  // namespace perdure::cli
