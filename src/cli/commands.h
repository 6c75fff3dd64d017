#pragma once
// The commands that speak to a running server. Each prints its answer and returns its exit status.
#include <cstdio>
#include <optional>
#include <string>

#include "cli/client.h"

namespace perdure::cli {

inline constexpr int kDone = 0;
inline constexpr int kRefused = 1;   // by the server, or the words given make no sense
inline constexpr int kNoServer = 3;  // nobody answered; nothing is known to have happened
inline constexpr int kFailed = 4;    // the task has failed, or was cancelled
inline constexpr int kIsAsking = 5;  // the task waits for a person: see `perdure inbox`

struct Output {
  std::FILE* out = stdout;
  std::FILE* err = stderr;
  bool json = false;  // the server's answer as it is
};

struct ListFlags {
  std::string status;
  std::string agent;
  int limit = 50;
};

struct SubmitFlags {
  std::string agent;
  std::string input_json;
  std::string key;
  bool wait = false;
};

struct ResolveFlags {
  std::string interrupt;
  std::string decision;
  std::string message;
  std::string result_json;
  std::optional<double> add_usd;
  std::optional<int64_t> add_model_calls;
  std::optional<int64_t> add_tool_calls;
  bool remember = false;
};

int list_tasks(Client& client, const ListFlags& flags, const Output& to);
int show_task(Client& client, const std::string& id, const Output& to);
// `normalised`: without what differs between two equal runs; one record a line, as JSON.
int show_journal(Client& client, const std::string& id, bool normalised, const Output& to);
int cancel_task(Client& client, const std::string& id, const std::string& reason, const Output& to);
// With `wait` it returns when the task has ended or asks somebody.
int submit_task(Client& client, const SubmitFlags& flags, const Output& to);
int show_inbox(Client& client, const Output& to);
int resolve_interrupt(Client& client, const ResolveFlags& flags, const Output& to);

int report(const Error& error, const Output& to);

}  // namespace perdure::cli
