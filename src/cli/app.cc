#include "cli/app.h"

#include <CLI/CLI.hpp>
#include <functional>

#include "cli/commands.h"

namespace perdure::cli {

struct Commands::Flags {
  PlaceFlags place;
  bool json = false;
  ListFlags list;
  SubmitFlags submit;
  InboxFlags inbox;
  DecisionFlags decision;
  std::string task;
  std::string reason;
  bool normalised = false;
  bool follow = false;
  std::function<int(Context&)> chosen;

  // What every command takes, and what it does.
  void finish(CLI::App* command, std::function<int(Context&)> run) {
    command->add_option("--url", place.url, "The server; else <data dir>/address says");
    command->add_option("--token-file", place.token_file, "The credential; else <data dir>/token");
    command->add_option("--data-dir", place.data_dir, "The server's data directory")
        ->capture_default_str();
    command->add_flag("--json", json, "The server's answer as it is");
    command->callback([this, run = std::move(run)] { chosen = run; });
  }

  void add_task_commands(CLI::App& app);
  void add_inbox(CLI::App& app);
  void add_decisions(CLI::App& app);
  CLI::App* add_decision(CLI::App& app, const std::string& name, const std::string& what);
  void add_message(CLI::App* command) {
    command->add_option("--message", decision.message, "For the journal and the model");
  }
  void add_additions(CLI::App* command) {
    command->add_option("--add-usd", decision.add_usd, "A budget: more money");
    command->add_option("--add-model-calls", decision.add_model_calls, "A budget: more calls");
    command->add_option("--add-tool-calls", decision.add_tool_calls, "A budget: more calls");
    command->add_flag("--remember", decision.remember, "Made again: do not ask again for this");
  }
};

void Commands::Flags::add_task_commands(CLI::App& app) {
  CLI::App* tasks = app.add_subcommand("tasks", "Tasks of a running server");
  tasks->require_subcommand(1);

  CLI::App* listing = tasks->add_subcommand("list", "The newest tasks");
  listing->add_option("--status", list.status, "Only these, e.g. working");
  listing->add_option("--agent", list.agent, "Only this agent's");
  listing->add_option("--limit", list.limit, "At most so many")->capture_default_str();
  finish(listing, [this](Context& context) { return list_tasks(context, list); });

  CLI::App* show = tasks->add_subcommand("show", "One task");
  show->add_option("TASK", task, "Its id, or the beginning or end of it")->required();
  finish(show, [this](Context& context) { return show_task(context, task); });

  CLI::App* journal = tasks->add_subcommand("journal", "What was recorded");
  journal->add_option("TASK", task, "Its id, or the beginning or end of it")->required();
  journal->add_flag("--normalised", normalised, "Without what differs between two equal runs");
  finish(journal, [this](Context& context) { return show_journal(context, task, normalised); });

  CLI::App* cancel = tasks->add_subcommand("cancel", "End a task");
  cancel->add_option("TASK", task, "Its id, or the beginning or end of it")->required();
  cancel->add_option("--reason", reason, "Why, for the journal");
  finish(cancel, [this](Context& context) { return cancel_task(context, task, reason); });

  CLI::App* submitting = tasks->add_subcommand("submit", "Start a task");
  submitting->add_option("AGENT", submit.agent, "The agent's name")->required();
  submitting->add_option("INPUT_JSON", submit.input_json, "A JSON value")->required();
  submitting->add_option("--key", submit.key, "Idempotency key: the same again is the same task");
  submitting->add_flag("--wait", submit.wait, "Until it has ended or asks somebody");
  submitting->add_flag("--follow", submit.follow, "The same, and tell what happens");
  finish(submitting, [this](Context& context) { return submit_task(context, submit); });

  CLI::App* events = app.add_subcommand("events", "What a task did and does");
  events->add_option("TASK", task, "Its id, or the beginning or end of it")->required();
  events->add_flag("--follow", follow, "Go on until it has ended");
  finish(events, [this](Context& context) { return show_events(context, task, follow); });
}

void Commands::Flags::add_inbox(CLI::App& app) {
  CLI::App* command = app.add_subcommand("inbox", "What people are asked");
  command->add_option("ID", inbox.id, "Only this question");
  command->add_flag("--brief", inbox.brief, "One line each");
  command->add_flag("--decide", inbox.decide,
                    "One after another, each until it is decided or left");
  finish(command, [this](Context& context) { return show_inbox(context, inbox); });
}

CLI::App* Commands::Flags::add_decision(CLI::App& app, const std::string& name,
                                        const std::string& what) {
  CLI::App* command = app.add_subcommand(name, what);
  command->add_option("ID", decision.id, "The question, as perdure inbox names it")->required();
  return command;
}

void Commands::Flags::add_decisions(CLI::App& app) {
  for (const std::string name : {"approve", "reject"}) {
    CLI::App* command =
        add_decision(app, name, name == "approve" ? "Let a call be made" : "Let it not be made");
    add_message(command);
    if (name == "approve") add_additions(command);
    finish(command, [this, name](Context& context) {
      decision.decision = name;
      return decide(context, decision);
    });
  }

  CLI::App* edit = add_decision(app, "edit", "Let a call be made with other arguments");
  edit->add_option("--args", decision.args, "JSON, or @FILE; else an editor is opened");
  edit->add_flag("--yes", decision.yes, "Do not ask before it is sent");
  add_message(edit);
  finish(edit, [this](Context& context) { return edit_call(context, decision); });

  CLI::App* answer = add_decision(app, "answer", "Answer a question, or say what happened");
  answer
      ->add_option("ANSWER", decision.decision,
                   "The text; for a doubt happened, not_happened or dismiss")
      ->required();
  answer->add_option("--result", decision.result_json, "happened: what came of it, as JSON");
  finish(answer, [this](Context& context) { return answer_question(context, decision); });

  CLI::App* resolve = add_decision(app, "resolve", "Send any decision as it is");
  resolve
      ->add_option("DECISION", decision.decision,
                   "approve, edit, reject, respond, happened, not_happened or dismiss")
      ->required();
  resolve->add_option("--args", decision.args, "edit: the arguments, as JSON");
  resolve->add_option("--result", decision.result_json, "happened: what came of it, as JSON");
  add_message(resolve);
  add_additions(resolve);
  finish(resolve, [this](Context& context) { return decide(context, decision); });
}

Commands::Commands(CLI::App& app) : flags_(std::make_unique<Flags>()) {
  flags_->add_task_commands(app);
  flags_->add_inbox(app);
  flags_->add_decisions(app);
}

Commands::~Commands() = default;

bool Commands::is_named() const {
  return flags_->chosen != nullptr;
}

int Commands::run(HttpClient& http, Clock& clock) const {
  Client client(http, flags_->place);
  Context context{client, clock, {}};
  context.to.json = flags_->json;
  context.to.out_look = look_of(stdout);
  context.to.err_look = look_of(stderr);
  return flags_->chosen(context);
}

}  // namespace perdure::cli
