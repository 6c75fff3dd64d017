// perdure inbox, approve, reject, edit, answer, resolve
#include <CLI/CLI.hpp>

#include "cli/tree.h"

namespace perdure::cli {
namespace {

CLI::App* add_decision(CLI::App& app, DecisionFlags& decision, const std::string& name,
                       const std::string& what) {
  CLI::App* command = app.add_subcommand(name, what)->group("People");
  command->add_option("ID", decision.id, "The question, as perdure inbox names it")->required();
  return command;
}

void add_message(CLI::App* command, DecisionFlags& decision) {
  command->add_option("--message", decision.message, "For the journal and the model");
}

void add_additions(CLI::App* command, DecisionFlags& decision) {
  command->add_option("--add-usd", decision.add_usd, "A budget: more money");
  command->add_option("--add-model-calls", decision.add_model_calls, "A budget: more calls");
  command->add_option("--add-tool-calls", decision.add_tool_calls, "A budget: more calls");
  command->add_flag("--remember", decision.remember, "Made again: do not ask again for this");
}

}  // namespace

void Commands::Flags::add_people(CLI::App& app) {
  CLI::App* command = app.add_subcommand("inbox", "What people are asked")->group("People");
  command->add_option("ID", inbox.id, "Only this question");
  command->add_flag("--brief", inbox.brief, "One line each");
  command->add_flag("--decide", inbox.decide, "One after another, until it is decided or left");
  finish(command, [this](Context& context) { return show_inbox(context, inbox); });

  for (const std::string name : {"approve", "reject"}) {
    const bool approves = name == "approve";
    CLI::App* deciding =
        add_decision(app, decision, name, approves ? "Let a call be made" : "Let it not be made");
    add_message(deciding, decision);
    if (approves) add_additions(deciding, decision);
    finish(deciding, [this, name](Context& context) {
      decision.decision = name;
      return decide(context, decision);
    });
  }

  CLI::App* edit = add_decision(app, decision, "edit", "Let a call be made with other arguments");
  edit->add_option("--args", decision.args, "JSON, or @FILE; else an editor is opened");
  edit->add_flag("--yes", decision.yes, "Do not ask before it is sent");
  add_message(edit, decision);
  finish(edit, [this](Context& context) { return edit_call(context, decision); });

  CLI::App* answer =
      add_decision(app, decision, "answer", "Answer a question, or say what happened");
  answer->add_option("ANSWER", decision.decision,
                     "The text; for a doubt happened, not_happened or dismiss");
  answer->add_option("--value", decision.value_json, "In place of a text: any JSON value");
  answer->add_option("--result", decision.result_json, "happened: what came of it, as JSON");
  finish(answer, [this](Context& context) { return answer_question(context, decision); });

  CLI::App* resolve = add_decision(app, decision, "resolve", "Send any decision as it is");
  resolve
      ->add_option("DECISION", decision.decision,
                   "approve, edit, reject, respond, happened, not_happened or dismiss")
      ->required();
  resolve->add_option("--args", decision.args, "edit: the arguments, as JSON");
  resolve->add_option("--value", decision.value_json, "respond: any JSON value");
  resolve->add_option("--result", decision.result_json, "happened: what came of it, as JSON");
  add_message(resolve, decision);
  add_additions(resolve, decision);
  finish(resolve, [this](Context& context) { return decide(context, decision); });
}

}  // namespace perdure::cli
