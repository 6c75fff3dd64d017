// perdure approve | reject | edit | answer | resolve
#include <fmt/core.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

#include "cli/commands.h"
#include "cli/decision.h"
#include "cli/diff.h"
#include "cli/editor.h"
#include "cli/find.h"
#include "cli/question.h"
#include "cli/text.h"
#include "cli/words.h"

namespace perdure::cli {
namespace {

Result<json::object> body_of(const DecisionFlags& flags) {
  json::object body{{"decision", flags.decision}};
  if (!flags.message.empty()) body["message"] = flags.message;
  if (flags.remember) body["remember"] = true;
  json::object add;
  if (flags.add_usd) add["cost_usd"] = *flags.add_usd;
  if (flags.add_model_calls) add["model_calls"] = *flags.add_model_calls;
  if (flags.add_tool_calls) add["tool_calls"] = *flags.add_tool_calls;
  if (!add.empty()) body["add"] = std::move(add);
  if (!flags.result_json.empty()) {
    TRY_ASSIGN(body["result"], parse_json(flags.result_json, "--result"));
  }
  if (!flags.value_json.empty()) {
    TRY_ASSIGN(body["value"], parse_json(flags.value_json, "--value"));
  }
  if (!flags.args.empty() && flags.decision == "edit") {
    TRY_ASSIGN(body["args"], parse_args(flags.args));
  }
  return body;
}

int sent(Context& context, const json::object& question, json::object body) {
  const auto done = send_decision(context.client, question, std::move(body));
  if (!done) return report(done.error(), context.to);
  fmt::print(context.to.out, "{}\n",
             context.to.json ? to_json(json::value(*done)) : decided_text(*done));
  return kDone;
}

// What a decision that does not fit is told.
Error not_allowed(const json::object& question, std::string_view decision) {
  std::string message =
      fmt::format("{} cannot be answered by '{}'; these can:", handle_of(text_at(question, "id")),
                  visible(decision));
  for (const std::string& command : commands_of(question)) message += "\n  " + command;
  return {Code::kInvalid, message};
}

constexpr std::string_view kDecisions[] = {"approve",  "edit",         "reject", "respond",
                                           "happened", "not_happened", "dismiss"};

// What `answer` sends. The name of a decision is a text only where it is one of the choices: a
// model would take "dismiss" or "approve" for what a person knows.
Result<DecisionFlags> meant_by(const json::object& question, DecisionFlags flags) {
  const std::string word = flags.decision;
  const bool has_value = !flags.value_json.empty();
  const bool is_of_doubt = word == "happened" || word == "not_happened" || word == "dismiss";
  if (is_of_doubt && !has_value && allows(question, word)) return flags;
  if (!allows(question, "respond")) return tl::unexpected(not_allowed(question, word));
  if (word.empty() && !has_value) {
    return fail(Code::kInvalid, "the answer is missing: say a text, or --value JSON");
  }
  const bool is_decision =
      std::find(std::begin(kDecisions), std::end(kDecisions), word) != std::end(kDecisions);
  if (is_decision && !offers(question, word)) {
    Error error = not_allowed(question, word);
    error.message += fmt::format("\nas a text: perdure answer {} --value '\"{}\"'",
                                 handle_of(text_at(question, "id")), word);
    return tl::unexpected(error);
  }
  flags.decision = "respond";
  flags.message = word;
  return flags;
}

Result<std::string> given_args(const std::string& given) {
  if (!given.starts_with('@')) return given;
  const std::string path = given.substr(1);
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  if (!in || !(text << in.rdbuf())) return fail(Code::kInvalid, "--args: cannot read " + path);
  return text.str();
}

// The new arguments: given, or from the editor, which is opened again while they are no JSON.
Result<json::value> new_args(Context& context, const DecisionFlags& flags,
                             const std::string& before) {
  if (!flags.args.empty()) {
    TRY_ASSIGN(const std::string text, given_args(flags.args));
    return parse_json(text, "--args");
  }
  if (!is_typed()) {
    return fail(Code::kInvalid, "there is no terminal to edit at: say --args JSON or --args @FILE");
  }
  std::string text = before;
  for (;;) {
    TRY_ASSIGN(text, edited(text));
    auto args = parse_args(text);
    if (args) return args;
    fmt::print(context.to.err, "{}\n", visible(args.error().message));
    if (!confirmed(context.to, "edit it again?")) return args;
  }
}

int edit_question(Context& context, const DecisionFlags& flags, const json::object& question) {
  const auto before = args_text(question);
  if (!before) return report(before.error(), context.to);
  const auto args = new_args(context, flags, *before);
  if (!args) return report(args.error(), context.to);
  const std::string diff = diff_text(*before, pretty_json(*args) + "\n", context.to.err_look);
  if (diff.empty()) {
    return report({Code::kInvalid,
                   "nothing was changed and nothing sent; 'perdure approve' takes "
                   "the call as it is"},
                  context.to);
  }
  if (!context.to.json) fmt::print(context.to.err, "{}", diff);
  const bool asks = flags.args.empty() && !flags.yes;
  if (asks && !confirmed(context.to, "run the call with these arguments?")) {
    return report({Code::kInvalid, "nothing was sent"}, context.to);
  }
  json::object body{{"decision", "edit"}, {"args", *args}};
  if (!flags.message.empty()) body["message"] = flags.message;
  return sent(context, question, std::move(body));
}

}  // namespace

bool is_typed() {
  return isatty(STDIN_FILENO) == 1;
}

bool confirmed(const Output& to, std::string_view question) {
  fmt::print(to.err, "{} [y/N] ", question);
  std::fflush(to.err);
  std::array<char, 64> line{};
  if (std::fgets(line.data(), line.size(), stdin) == nullptr) return false;
  return line[0] == 'y' || line[0] == 'Y';
}

int decide(Context& context, const DecisionFlags& flags) {
  auto body = body_of(flags);
  if (!body) return report(body.error(), context.to);
  const auto question = find_question(context.client, flags.id);
  if (!question) return report(question.error(), context.to);
  return sent(context, *question, std::move(*body));
}

int edit_call(Context& context, const DecisionFlags& flags) {
  const auto question = find_question(context.client, flags.id);
  if (!question) return report(question.error(), context.to);
  const bool is_open = text_at(*question, "status") == "open";
  if (is_open && !allows(*question, "edit")) {
    return report(not_allowed(*question, "edit"), context.to);
  }
  return edit_question(context, flags, *question);
}

int answer_question(Context& context, const DecisionFlags& flags) {
  const auto question = find_question(context.client, flags.id);
  if (!question) return report(question.error(), context.to);
  const auto decided = meant_by(*question, flags);
  if (!decided) return report(decided.error(), context.to);
  auto body = body_of(*decided);
  if (!body) return report(body.error(), context.to);
  return sent(context, *question, std::move(*body));
}

}  // namespace perdure::cli
