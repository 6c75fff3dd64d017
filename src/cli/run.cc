#include "cli/run.h"

#include <fmt/core.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <iterator>

#include "base/percent.h"
#include "base/text.h"
#include "cli/agents.h"
#include "cli/find.h"
#include "cli/follow.h"
#include "cli/private_server.h"
#include "cli/question.h"
#include "cli/suggest.h"
#include "cli/text.h"
#include "cli/words.h"

namespace perdure::cli {
namespace {

constexpr int64_t kPatienceMs = 60'000;  // for a server that is not ours

bool is_set(const char* variable) {
  const char* value = std::getenv(variable);
  return value != nullptr && *value != '\0';
}

class Run {
 public:
  Run(Context& context, const RunFlags& flags)
      : context_(context),
        flags_(flags),
        server_(context, attention_, {flags.config, flags.place.data_dir}) {}

  int run() {
    const auto task = begin();
    if (!task) return report(task.error(), context_.to);
    if (flags_.detach) {
      fmt::print(context_.to.out, "{}\n", visible(*task));
      return kDone;
    }
    if (!flags_.quiet) fmt::print(context_.to.err, "task {}\n", visible(*task));
    json::object ended;
    const int status = follow(context_, attention_, *task, follow_flags(), ended);
    return show(ended, status);
  }

 private:
  bool is_private() const { return flags_.place.url.empty(); }

  template <class Ask>
  Result<Answer> asked(const Ask& ask) {
    if (!is_private()) return ask();
    Answer answer;
    TRY_STATUS(server_.ask([&]() -> Status {
      TRY_ASSIGN(answer, ask());
      return {};
    }));
    return answer;
  }

  // The id of the task that was started.
  Result<std::string> begin() {
    TRY_ASSIGN(const json::object agent, read_agent_file(flags_.file, context_.program));
    TRY_ASSIGN(const json::value input, read_input());
    TRY_STATUS(check_models(agent));
    if (is_private()) TRY_STATUS(server_.ensure(Suits::kWithThisFile));
    const std::string name = text_at(agent, "name");
    TRY_STATUS(put(name, agent));
    // The same key again is the same task: it may be asked for again when an answer was lost.
    Rng& rng = context_.program.rng;
    const std::string key = fmt::format("\"run-{:016x}{:016x}\"", rng.next(), rng.next());
    json::object body{{"agent", name}, {"input", input}};
    if (!flags_.session.empty()) body["session"] = flags_.session;
    TRY_ASSIGN(const Answer task, asked([&] {
                 return context_.client.post("/v1/tasks", body, "id", {{"Idempotency-Key", key}});
               }));
    return text_at(task.object(), "id");
  }

  Status put(const std::string& name, const json::object& agent) {
    const std::string path = "/v1/agents/" + percent_encode(name);
    const auto put = asked([&] {
      auto answer = context_.client.put(path, agent, "version");
      const bool is_of_file = !answer && answer.error().code != Code::kUnavailable;
      if (is_of_file) answer.error().message = flags_.file + ": " + answer.error().message;
      return answer;
    });
    if (put) {
      print_warnings(context_.to, flags_.file, put->object());
      return {};
    }
    if (put.error().code != Code::kConflict) return tl::unexpected(put.error());
    fmt::print(
        context_.to.err,
        "perdure: the operator's file of the server has another '{}' than {}: that one runs\n",
        visible(name), visible(flags_.file));
    return {};
  }

  Result<json::value> read_input() const {
    std::string text = flags_.input;
    if (text == "-") {
      text.assign(std::istreambuf_iterator<char>(std::cin), {});
      while (text.ends_with('\n')) text.pop_back();
    }
    if (flags_.input_is_json) return parse_json(text, "INPUT", {.size_bytes = 64u << 20});
    if (!is_valid_utf8(text)) return fail(Code::kInvalid, "INPUT is not UTF-8");
    return json::value(text);
  }

  // Before a server is started without a model: what to write, and where.
  Status check_models(const json::object& agent) const {
    if (!is_private() || is_there(context_.client)) return {};
    const bool exists = std::filesystem::exists(flags_.config);
    json::value document = json::object();
    if (exists) {
      TRY_ASSIGN(document, context_.program.read_toml(flags_.config));
    }
    const json::object* models = object_in(document.as_object(), "models");
    if (models != nullptr && !models->empty()) return {};
    return fail(Code::kInvalid,
                (exists ? flags_.config + " has no model" : "there is no " + flags_.config) +
                    ", so no agent can run." +
                    model_advice(flags_.config, models_named(agent).front(), found()));
  }

  Found found() const {
    Found found;
    found.openai_key = is_set("OPENAI_API_KEY");
    found.anthropic_key = is_set("ANTHROPIC_API_KEY");
    const char* ollama = std::getenv("OLLAMA_HOST");
    found.ollama_url = ollama_url(ollama == nullptr ? "" : ollama);
    const auto answer = context_.client.look_at(found.ollama_url + "/api/tags");
    if (answer) found.ollama_models = ollama_models(answer->object());
    return found;
  }

  FollowFlags follow_flags() {
    FollowFlags following;
    following.is_told = !flags_.quiet;
    following.asks_here = isatty(STDIN_FILENO) == 1 && context_.to.err_look.is_terminal;
    following.until_asked = true;
    if (is_private()) {
      following.revive = [this] { return server_.ensure(Suits::kAny); };
    } else if (!context_.to.err_look.is_terminal) {
      following.patience_ms = kPatienceMs;
    }
    return following;
  }

  int show(const json::object& task, int status) const {
    const Output& to = context_.to;
    if (task.empty()) return status;
    if (to.json) {
      fmt::print(to.out, "{}\n", to_json(json::value(task)));
      return status;
    }
    const std::string outcome = outcome_text(task);
    if (!outcome.empty()) fmt::print(to.out, "{}\n", outcome);
    if (const json::object* error = object_in(task, "error")) {
      fmt::print(to.err, "perdure: the task {}: {}: {}\n", visible(text_at(task, "status")),
                 visible(text_at(*error, "stop_reason")), visible(text_at(*error, "message")));
    }
    if (status == kIsAsking) show_questions(task);
    return status;
  }

  void show_questions(const json::object& task) const {
    const json::array* waits = array_in(task, "waiting_for");
    for (size_t i = 0; waits != nullptr && i < waits->size(); ++i) {
      const json::object* wait = (*waits)[i].if_object();
      if (wait == nullptr || text_at(*wait, "kind") != "interrupt") continue;
      const auto question = find_question(context_.client, text_at(*wait, "id"));
      if (!question) continue;
      fmt::print(context_.to.err, "\n{}",
                 question_text(*question, context_.to.err_look, context_.now_ms()));
    }
    fmt::print(context_.to.err, "\nthe task waits; afterwards 'perdure events {} --follow'\n",
               visible(text_at(task, "id")));
  }

  Context& context_;
  const RunFlags& flags_;
  Attention attention_;
  PrivateServer server_;
};

}  // namespace

std::string data_dir_of(const std::string& config, const Program& program) {
  const auto document = program.read_toml(config);
  const json::object* object = document ? document->if_object() : nullptr;
  const json::object* server = object != nullptr ? object_in(*object, "server") : nullptr;
  const std::string dir = server != nullptr ? text_at(*server, "data_dir") : "";
  if (dir.empty()) return ".perdure";
  return (std::filesystem::path(config).parent_path() / dir).string();
}

int run_agent(Context& context, const RunFlags& flags) {
  return Run(context, flags).run();
}

}  // namespace perdure::cli
