#include "tool/http_executor.h"

#include <fmt/core.h>

#include <map>
#include <mutex>
#include <optional>
#include <utility>

#include "tool/http_outcome.h"
#include "tool/http_request.h"
#include "tool/outcome.h"

namespace perdure {
namespace {

using Position = std::pair<TaskId, StepId>;

// Nothing was written. Arguments that cannot be sent fail for good; what the operator can mend does
// not.
SettleStep unsent(const Send& send, const Error& error) {
  const bool args_are_wrong = error.code != Code::kNotFound && error.code != Code::kUnavailable;
  const FailureClass failure = args_are_wrong                  ? FailureClass::kInvalid
                               : error.code == Code::kNotFound ? FailureClass::kAuth
                                                               : FailureClass::kTransient;
  return settle_of(send, args_are_wrong ? Outcome::kFailed : Outcome::kNotSent, failure,
                   error.message);
}

}  // namespace

struct HttpToolExecutor::State {
  State(HttpClient& client_in, Clock& clock_in, Secrets secrets_in)
      : client(client_in), clock(clock_in), secrets(std::move(secrets_in)) {}

  HttpClient& client;
  Clock& clock;
  const Secrets secrets;
  const Masker masker = secrets.masker();
  std::map<std::string, HttpToolConfig, std::less<>> tools;
  std::mutex mutex;
  // What may be stopped; without an id until `send` has returned.
  std::map<Position, std::optional<HttpClient::CallId>> open;
};

HttpToolExecutor::HttpToolExecutor(HttpClient& client, Clock& clock, Secrets secrets,
                                   std::vector<HttpToolConfig> tools)
    : state_(std::make_shared<State>(client, clock, std::move(secrets))) {
  for (HttpToolConfig& tool : tools) {
    std::string name = tool.name;
    state_->tools.insert_or_assign(std::move(name), std::move(tool));
  }
}

HttpToolExecutor::~HttpToolExecutor() = default;

void HttpToolExecutor::start(CallRequest request, Done done) {
  const Send& send = request.send;
  const auto tool = state_->tools.find(send.name);
  if (tool == state_->tools.end()) {
    done(unsent(send, {Code::kUnavailable, fmt::format("no tool '{}' is configured", send.name)}));
    return;
  }
  if (send.args.exists() && !send.args.bytes) {
    done(unsent(send, {Code::kUnavailable, "the arguments were not read from the store"}));
    return;
  }
  auto made = make_request(tool->second, request, state_->secrets);
  if (!made) {
    made.error().message = state_->masker.mask(std::move(made.error().message));
    done(unsent(send, made.error()));
    return;
  }
  const Position position{request.task, send.step};
  const bool stoppable = may_run_again(send.effect);
  if (stoppable) {
    const std::lock_guard lock(state_->mutex);
    state_->open[position] = std::nullopt;
  }
  HttpCallbacks callbacks;
  callbacks.on_done = [state = state_, config = &tool->second, send = request.send, position,
                       done = std::move(done)](HttpResult result) {
    {
      const std::lock_guard lock(state->mutex);
      state->open.erase(position);
    }
    done(classify(*config, send, std::move(result), state->masker, state->clock.unix_ms()));
  };
  const auto id = state_->client.send(std::move(*made), std::move(callbacks));
  if (!stoppable) return;
  const std::lock_guard lock(state_->mutex);
  if (const auto open = state_->open.find(position); open != state_->open.end()) open->second = id;
}

void HttpToolExecutor::abort(const TaskId& task, const StepId& step) {
  std::optional<HttpClient::CallId> id;
  {
    const std::lock_guard lock(state_->mutex);
    const auto open = state_->open.find({task, step});
    if (open != state_->open.end()) id = open->second;
  }
  if (id) state_->client.cancel(*id);
}

}  // namespace perdure
