// POST /v1/tasks
#include <fmt/core.h>

#include <algorithm>
#include <cmath>

#include "api/idempotency.h"
#include "api/prefer.h"
#include "api/problem.h"
#include "api/routes.h"
#include "api/task_view.h"
#include "api/task_wait.h"
#include "base/text.h"
#include "engine/stow.h"

namespace perdure::api {
namespace {

constexpr std::string_view kRoute = "POST /v1/tasks";
constexpr double kBudgetMaxUsd = 1e9;
constexpr size_t kSessionMaxBytes = 128;

struct Submission {
  Submit submit;
  std::optional<engine::IdempotencyKey> idempotency;
  NewTaskText text;
};

// How a submission is answered; shared by what happens before and behind the engine.
struct Pending {
  std::optional<NewTaskText> text;  // of a new task
  Preferences preferences;
  std::string tenant;
  std::shared_ptr<Responder> responder;
};

// A task may only tighten what its agent may use.
Status tighten(int64_t& limit, int64_t wanted, std::string_view name) {
  if (limit != kUnlimited && wanted > limit) {
    return fail(Code::kInvalid,
                fmt::format("body.budget.{}: more than the agent's own limit allows", name));
  }
  limit = wanted;
  return {};
}

Status read_budget(const json::value& value, Limits& limits) {
  ObjectReader in(value, "body.budget");
  const double cost_usd = in.number("cost_usd", 0, kBudgetMaxUsd, 0);
  const int64_t model_calls = in.integer("model_calls", 0, INT64_MAX, 0);
  const int64_t tool_calls = in.integer("tool_calls", 0, INT64_MAX, 0);
  const int64_t turns = in.integer("turns", 0, INT64_MAX, 0);
  TRY_STATUS(in.finish());
  if (in.has("cost_usd")) {
    TRY_STATUS(tighten(limits.cost_micro_usd, std::llround(cost_usd * 1e6), "cost_usd"));
  }
  if (in.has("model_calls")) TRY_STATUS(tighten(limits.model_calls, model_calls, "model_calls"));
  if (in.has("tool_calls")) TRY_STATUS(tighten(limits.tool_calls, tool_calls, "tool_calls"));
  if (in.has("turns")) TRY_STATUS(tighten(limits.turns, turns, "turns"));
  return {};
}

Response no_agent(const Error& error) {
  if (error.code == Code::kNotFound) {
    return problem(422, "unknown_agent", "body.agent: " + error.message);
  }
  if (error.code == Code::kConflict) return problem(409, "agent_unusable", error.message);
  return problem(error);
}

// What a client calls the conversation, the ticket or the batch that a task belongs to.
bool is_session(std::string_view text) {
  return !text.empty() && text.size() <= kSessionMaxBytes &&
         std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

OrResponse<Submission> read_submission(Context& context, const Call& call,
                                       const json::value& body) {
  const auto invalid = [](const Error& error) { return tl::unexpected(problem(error)); };
  ObjectReader in(body, "body");
  const std::string name = in.string("agent");
  const json::value* input = in.value("input");
  const json::value* budget = in.value("budget");
  const json::object* metadata = in.object("metadata");
  std::string session = in.string("session", "");
  if (in.has("session") && !is_session(session)) {
    in.fail_at("session", fmt::format("expected 1 to {} bytes of text without control characters",
                                      kSessionMaxBytes));
  }
  if (input == nullptr) in.fail_at("input", "is missing");
  if (const Status read = in.finish(); !read) return invalid(read.error());
  const auto agent = context.parts.agents.find(call.tenant(), name);
  if (!agent) return tl::unexpected(no_agent(agent.error()));

  Submit submit;
  submit.tenant = call.tenant();
  submit.principal = call.who->principal;
  submit.planner = agent->planner;
  submit.agent = agent->name;
  submit.agent_version = agent->version;
  submit.limits = agent->limits;
  if (budget != nullptr) {
    if (const Status read = read_budget(*budget, submit.limits); !read) {
      return invalid(read.error());
    }
  }
  if (metadata != nullptr) submit.metadata = to_canonical_json(*metadata);
  if (submit.metadata.size() > context.parts.limits.metadata_bytes) {
    return tl::unexpected(problem(413, "too_large",
                                  fmt::format("body.metadata: at most {} bytes are accepted",
                                              context.parts.limits.metadata_bytes)));
  }
  submit.session = std::move(session);
  submit.input = Payload::of(to_canonical_json(*input));
  NewTaskText text(submit, metadata != nullptr ? json::value(*metadata) : json::object());
  return Submission{std::move(submit), std::nullopt, std::move(text)};
}

// What this very request made, if it was accepted before.
std::optional<engine::Submitted> find_earlier(Context& context, const std::string& tenant,
                                              const engine::IdempotencyKey& key) {
  const auto row = context.parts.reader.idempotency(tenant, key.route, key.key);
  if (!row || !*row || (*row)->request_hash != key.request_hash) return std::nullopt;
  return engine::Submitted{(*row)->task, true, 0};
}

Response accepted(const TaskId& id, std::string body, const Preferences& preferences) {
  Response response = json_response(202, std::move(body));
  response.headers.emplace_back("location", "/v1/tasks/" + id.to_string());
  response.headers.emplace_back("retry-after", "1");
  if (std::string applied = preferences.applied(); !applied.empty()) {
    response.headers.emplace_back("preference-applied", std::move(applied));
  }
  return response;
}

// The task as it is now: 200 with its end, 202 before.
Response current(Context& context, const Pending& pending, const engine::Submitted& done,
                 bool& ended) {
  ANSWER_ASSIGN(TaskRow row, find_task(context, pending.tenant, done.task));
  ANSWER_ASSIGN(const TaskView view, view_task(context, std::move(row)));
  ended = is_terminal(status_of(view));
  Response response = accepted(done.task, task_json(view), pending.preferences);
  if (ended && pending.preferences.wait_ms(context.parts.limits.wait_max_ms) > 0) {
    response.status = 200;
  }
  if (done.repeated) response.headers.emplace_back("idempotency-replayed", "true");
  response.headers.emplace_back("etag", etag_of(view));
  return response;
}

// On the engine's thread.
void answer(Context& context, const std::shared_ptr<const Pending>& pending,
            const Result<engine::Submitted>& result) {
  if (!result) {
    const bool reused = result.error().code == Code::kInvalid;
    return pending->responder->respond(
        reused ? problem(422, "idempotency_key_reused", result.error().message)
               : problem(result.error()));
  }
  const engine::Submitted done = *result;
  const int64_t wait_ms = pending->preferences.wait_ms(context.parts.limits.wait_max_ms);
  if (!done.repeated && wait_ms == 0) {
    return pending->responder->respond(
        accepted(done.task, pending->text->of(done.task), pending->preferences));
  }
  context.later(pending->tenant, [&context, pending, done, wait_ms] {
    const auto look = [&context, pending, done](bool last) -> std::optional<Response> {
      bool ended = false;
      Response response = current(context, *pending, done, ended);
      if (ended || last || response.status >= 400) return response;
      return std::nullopt;
    };
    if (wait_ms == 0) return pending->responder->respond(*look(true));
    TaskWait::start(context, pending->tenant, done.task, wait_ms, pending->responder, look);
  });
}

}  // namespace

void submit_task(Context& context, Call call) {
  const auto refuse = [&](Response response) { call.responder->respond(std::move(response)); };
  const auto key = idempotency_key_of(*call.request);
  if (!key) return refuse(problem(400, "invalid_idempotency_key", key.error().message));
  auto body = body_of(context, call);
  if (!body) return refuse(std::move(body.error()));
  std::optional<engine::IdempotencyKey> repeatable;
  if (*key) {
    repeatable =
        engine::IdempotencyKey{std::string(kRoute), **key, sha256(to_canonical_json(*body))};
  }
  auto read = read_submission(context, call, *body);
  std::optional<Response> refusal = read ? no_room(context) : std::move(read.error());
  if (refusal) {
    // What was accepted once needs no room, and no agent that is still as it was.
    const auto earlier =
        repeatable ? find_earlier(context, call.tenant(), *repeatable) : std::nullopt;
    if (!earlier) return refuse(std::move(*refusal));
    return answer(context,
                  std::make_shared<const Pending>(Pending{
                      std::nullopt, preferences_of(*call.request), call.tenant(), call.responder}),
                  *earlier);
  }
  read->idempotency = std::move(repeatable);
  if (const Status stowed = engine::stow(context.parts.blobs, call.tenant(), read->submit.input);
      !stowed) {
    return refuse(problem(stowed.error()));
  }
  const auto pending = std::make_shared<const Pending>(
      Pending{std::move(read->text), preferences_of(*call.request), call.tenant(), call.responder});
  context.parts.engine.submit({std::move(read->submit), std::move(read->idempotency),
                               [&context, pending](const Result<engine::Submitted>& result) {
                                 answer(context, pending, result);
                               }});
}

}  // namespace perdure::api
