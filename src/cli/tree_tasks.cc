// perdure tasks, perdure events
#include <CLI/CLI.hpp>

#include "cli/tree.h"

namespace perdure::cli {
namespace {

constexpr const char* kTaskHelp = "Its id, or the beginning or end of it";

}  // namespace

void Commands::Flags::add_tasks(CLI::App& app) {
  CLI::App* tasks =
      app.add_subcommand("tasks", "Tasks of a running server")->group("Agents and tasks");
  tasks->require_subcommand(1);

  CLI::App* listing = tasks->add_subcommand("list", "The newest tasks");
  listing->add_option("--status", list.status, "Only these, e.g. working")->type_name("STATUS");
  listing->add_option("--agent", list.agent, "Only this agent's")->type_name("AGENT");
  listing->add_option("--session", list.session, "Only this session's")->type_name("NAME");
  listing->add_option("--limit", list.limit, "At most so many")->capture_default_str();
  finish(listing, [this](Context& context) { return list_tasks(context, list); });

  CLI::App* show = tasks->add_subcommand("show", "One task");
  show->add_option("TASK", task, kTaskHelp)->required();
  finish(show, [this](Context& context) { return show_task(context, task); });

  CLI::App* journal = tasks->add_subcommand("journal", "What was recorded");
  journal->add_option("TASK", task, kTaskHelp)->required();
  journal->add_flag("--normalised", normalised, "Without what differs between two equal runs");
  finish(journal, [this](Context& context) { return show_journal(context, task, normalised); });

  CLI::App* cancel = tasks->add_subcommand("cancel", "End a task");
  cancel->add_option("TASK", task, kTaskHelp)->required();
  cancel->add_option("--reason", reason, "Why, for the journal");
  finish(cancel, [this](Context& context) { return cancel_task(context, task, reason); });

  CLI::App* end_damaged =
      tasks->add_subcommand("end-damaged", "End a task whose stored bytes are damaged, as it is");
  end_damaged->add_option("TASK", task, kTaskHelp)->required();
  end_damaged->add_flag("--yes", yes, "Do not ask");
  finish(end_damaged, [this](Context& context) { return end_damaged_task(context, task, yes); });

  CLI::App* submitting = tasks->add_subcommand("submit", "Start a task");
  submitting->add_option("AGENT", submit.agent, "The agent's name")->required();
  submitting->add_option("INPUT_JSON", submit.input_json, "A JSON value")->required();
  submitting->add_option("--key", submit.key, "Idempotency key: the same again is the same task");
  submitting->add_option("--session", submit.session, "What it belongs to: a name of yours")
      ->type_name("NAME");
  submitting->add_flag("--wait", submit.wait, "Until it has ended or asks somebody");
  submitting->add_flag("--follow", submit.follow, "The same, and tell what happens");
  finish(submitting, [this](Context& context) { return submit_task(context, submit); });

  CLI::App* events =
      app.add_subcommand("events", "What a task did and does")->group("Agents and tasks");
  events->add_option("TASK", task, kTaskHelp)->required();
  events->add_flag("--follow", follow, "Go on until it has ended");
  finish(events, [this](Context& context) { return show_events(context, task, follow); });
}

}  // namespace perdure::cli
