#pragma once
// The commands that speak to a running server. Each prints its answer and returns its exit status.
#include <cstdio>
#include <optional>
#include <string>
#include <string_view>

#include "cli/client.h"
#include "cli/exit_status.h"
#include "cli/look.h"
#include "cli/program.h"

namespace perdure::cli {

struct Output {
  std::FILE* out = stdout;
  std::FILE* err = stderr;
  bool json = false;  // the server's answer as it is
  Look out_look;
  Look err_look;
};

// What every command works with.
struct Context {
  Client& client;
  const Program& program;
  Output to;

  int64_t now_ms() const { return program.clock.unix_ms(); }
  // Of a time that does not jump; above 0.
  int64_t steady_ms() const { return program.clock.monotonic_us() / 1000 + 1; }
};

struct ListFlags {
  std::string status;
  std::string agent;
  std::string session;
  int limit = 50;
};

struct SubmitFlags {
  std::string agent;
  std::string input_json;
  std::string key;
  std::string session;
  bool wait = false;
  bool follow = false;
};

struct InboxFlags {
  std::string id;  // one of them
  bool brief = false;
  bool decide = false;
};

// For approve, reject, edit, answer and resolve; each knows a part of it.
struct DecisionFlags {
  std::string id;
  std::string decision;
  std::string message;
  std::string result_json;
  std::string value_json;
  std::string args;  // JSON, or @FILE
  std::optional<double> add_usd;
  std::optional<int64_t> add_model_calls;
  std::optional<int64_t> add_tool_calls;
  bool remember = false;
  bool yes = false;
};

int list_tasks(Context& context, const ListFlags& flags);
int show_task(Context& context, const std::string& word);
// `normalised`: without what differs between two equal runs; one record a line, as JSON.
int show_journal(Context& context, const std::string& word, bool normalised);
int cancel_task(Context& context, const std::string& word, const std::string& reason);
// Ends a damaged task, and says what may have happened. Asks at a terminal, unless `yes`.
int end_damaged_task(Context& context, const std::string& word, bool yes);
// With `wait` it returns when the task has ended or asks somebody; with `follow` it tells what
// happens until then.
int submit_task(Context& context, const SubmitFlags& flags);
// With `follow` until the task has ended, whatever it asks.
int show_events(Context& context, const std::string& word, bool follow);
int show_inbox(Context& context, const InboxFlags& flags);
int decide(Context& context, const DecisionFlags& flags);
int edit_call(Context& context, const DecisionFlags& flags);
int answer_question(Context& context, const DecisionFlags& flags);

// Asks at the terminal.
bool is_typed();
bool confirmed(const Output& to, std::string_view question);

int report(const Error& error, const Output& to);
// The exit status of a task that is in this state.
int status_of(const json::object& task);

}  // namespace perdure::cli
