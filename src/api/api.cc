#include "api/api.h"

#include <fmt/core.h>

#include "api/context.h"
#include "api/problem.h"
#include "api/routes.h"

namespace perdure::api {
namespace {

using Run = void (*)(Context&, Call);

struct Route {
  std::string_view method;
  std::string_view pattern;  // '*' stands for one segment; empty: the path is "/"
  Scopes scopes;             // one of them is enough; kNone: for everybody
  Run run;
  bool reads = false;  // journals, or much of the store: not on the thread of all connections
};
constexpr bool kReads = true;

// A route that answers at once.
template <Response (*function)(Context&, const Call&)>
void now(Context& context, Call call) {
  const auto responder = call.responder;
  responder->respond(function(context, call));
}

constexpr Scopes kLook = kRun | kApprove;
constexpr Scopes kSeeAgents = kLook | kAgents;

constexpr Route kRoutes[] = {
    {"POST", "/v1/tasks", kRun, submit_task},
    {"GET", "/v1/tasks", kLook, now<list_tasks>, kReads},
    {"GET", "/v1/tasks/*", kLook, get_task, kReads},
    {"GET", "/v1/tasks/*/events", kLook, get_events, kReads},
    {"GET", "/v1/tasks/*/journal", kLook, now<get_journal>, kReads},
    {"GET", "/v1/tasks/*/state", kLook, now<get_state>, kReads},
    {"POST", "/v1/tasks/*/ack", kRun, acknowledge_task, kReads},
    {"POST", "/v1/tasks/*/cancel", kRun, cancel_task, kReads},
    {"GET", "/v1/tasks/*/damage", kLook, now<get_damage>, kReads},
    {"POST", "/v1/tasks/*/end-damaged", kAdmin, end_damaged_task, kReads},
    {"GET", "/v1/interrupts", kLook, now<list_interrupts>, kReads},
    {"GET", "/v1/interrupts/*", kLook, now<get_interrupt>, kReads},
    {"POST", "/v1/interrupts/*/resolve", kApprove, resolve_interrupt, kReads},
    {"GET", "/v1/agents", kSeeAgents, now<list_agents>, kReads},
    {"GET", "/v1/agents/*", kSeeAgents, now<get_agent>, kReads},
    {"PUT", "/v1/agents/*", kAgents, put_agent},
    {"GET", "/v1/agents/*/versions", kSeeAgents, now<list_agent_versions>, kReads},
    {"GET", "/v1/agents/*/versions/*", kSeeAgents, now<get_agent_version>, kReads},
    {"GET", "/v1/keys", kAdmin, now<list_keys>},
    {"POST", "/v1/keys", kAdmin, create_key},
    {"DELETE", "/v1/keys/*", kAdmin, delete_key},
    {"GET", "/v1/tools", kSeeAgents | kAdmin, now<list_tools>},
    {"POST", "/v1/tools/*/accept", kAdmin, now<accept_tools>},
    {"POST", "/v1/planners/*/poll", kPlan, poll_planner},
    {"POST", "/v1/planners/*/turns", kPlan, answer_turn},
    {"GET", "", kNone, now<get_console>},
    {"GET", "/console/*", kNone, now<get_console_file>},
    {"GET", "/healthz", kNone, now<get_health>},
    {"GET", "/readyz", kNone, now<get_readiness>},
    {"GET", "/metrics", kAdmin, now<get_metrics>, kReads},
    {"GET", "/openapi.json", kAnyScope, now<get_openapi>},
};

bool matches(std::string_view pattern, const Path& path) {
  for (size_t i = 0; i < path.count; ++i) {
    if (pattern.empty()) return false;
    pattern.remove_prefix(1);
    const std::string_view want = pattern.substr(0, pattern.find('/'));
    if (want != "*" && want != path.segments[i]) return false;
    pattern.remove_prefix(want.size());
  }
  return pattern.empty();
}

struct Found {
  const Route* route = nullptr;
  std::string allow;  // methods of the path, if none is the one that was asked for
};

Found find_route(std::string_view method, const Path& path) {
  Found found;
  if (method == "HEAD") method = "GET";
  for (const Route& route : kRoutes) {
    if (!matches(route.pattern, path)) continue;
    if (route.method == method) return {&route, {}};
    if (!found.allow.empty()) found.allow += ", ";
    found.allow += route.method;
    if (route.method == "GET") found.allow += ", HEAD";
  }
  return found;
}

bool is_json(const Request& request) {
  constexpr std::string_view kJson = "application/json";
  const auto given = request.header("content-type");
  if (!given || given->size() < kJson.size()) return false;
  for (size_t i = 0; i < kJson.size(); ++i) {
    const char c = (*given)[i];
    if ((c >= 'A' && c <= 'Z' ? c + ('a' - 'A') : c) != kJson[i]) return false;
  }
  const std::string_view rest = given->substr(kJson.size());
  return rest.empty() || rest.front() == ';' || rest.front() == ' ';
}

Response unauthenticated() {
  return problem(401, "unauthenticated",
                 "send 'Authorization: Bearer TOKEN' with a token that this server knows",
                 {{"www-authenticate", "Bearer realm=\"perdure\""}});
}

Response busy() {
  return problem(503, "busy", "too many requests that read wait for their turn: try again later");
}

Response missing(const Found& found, const Path& path) {
  if (!found.allow.empty()) {
    return problem(405, "method_not_allowed", "this path answers to " + found.allow,
                   {{"allow", found.allow}});
  }
  const bool versioned = path.count > 0 && path.segments[0] == "v1";
  return problem(404, "not_found",
                 versioned ? "there is no such path; /openapi.json lists them"
                           : "there is no such path; the API begins with /v1");
}

// Why a request with this head may not be served by that route, or nothing.
std::optional<Response> objection(const Route& route, const Request& head, const Credential& who) {
  if ((who.scopes & route.scopes) == 0) {
    return problem(403, "missing_scope",
                   fmt::format("this needs a credential with the scope {}; yours has {}",
                               scope_names(route.scopes), scope_names(who.scopes)));
  }
  if (route.method == "GET" || route.method == "DELETE" || is_json(head)) return std::nullopt;
  return problem(415, "unsupported_media_type", "send 'Content-Type: application/json'");
}

size_t body_limit_of(const ApiLimits& limits, const Route& route) {
  if (route.scopes == kNone) return 0;  // from strangers nothing is taken
  if (route.run == answer_turn) return limits.turn_body_bytes;
  const bool reads_one = route.method == "POST" || route.method == "PUT";
  return reads_one ? limits.body_bytes : limits.other_body_bytes;
}

}  // namespace

std::string masked_body(const Context& context, const Call& call) {
  return context.parts.masker.mask(call.request->body);
}

OrResponse<json::value> body_of(const Context& context, const Call& call) {
  if (call.request->body.empty()) return json::object();
  const ApiLimits& limits = context.parts.limits;
  auto parsed = parse_json(masked_body(context, call), "body",
                           {limits.json_depth, limits.body_bytes, limits.json_members});
  if (parsed) return std::move(*parsed);
  if (parsed.error().code != Code::kInvalid) return tl::unexpected(problem(parsed.error()));
  return tl::unexpected(problem(400, "invalid_json", parsed.error().message));
}

std::optional<Response> no_room(const Context& context) {
  Space* const space = context.parts.space;
  if (space == nullptr) return std::nullopt;
  const Room room = space->look();
  if (!room.low) return std::nullopt;
  constexpr uint64_t kMiB = 1u << 20;
  return problem(
      507, "disk_low",
      fmt::format("the disk has {} MiB left, and {} MiB are kept for tasks that run: free "
                  "some, then try again. Everything but new work is served",
                  room.free_bytes / kMiB, room.reserve_bytes / kMiB));
}

struct Api::Impl {
  explicit Impl(ApiParts parts) : context(std::move(parts)) {}

  // What is known of a request by its head.
  struct Entry {
    Path path;
    const Route* route = nullptr;
    Who who;
    std::optional<Response> refusal;
  };

  Entry enter(const Request& head) const;
  void serve(Call call);
  void run(const Route& route, Call call);
  std::optional<Response> refuse(const Request& request) const;

  Context context;
};

// Under whose name the server is asked, and from whose page.
std::optional<Response> Api::Impl::refuse(const Request& request) const {
  if (!context.access.is_host_allowed(request)) {
    return problem(421, "unknown_host",
                   "this server does not answer under that Host; add it to the configuration");
  }
  if (!context.access.is_origin_allowed(request)) {
    return problem(403, "unknown_origin",
                   "pages of that Origin may not call this server; add it to the configuration");
  }
  return std::nullopt;
}

Api::Impl::Entry Api::Impl::enter(const Request& head) const {
  Entry entry;
  const auto path = split_target(head.target);
  if (path) entry.path = *path;
  const Found found = path ? find_route(head.method, entry.path) : Found{};
  entry.route = found.route;
  if (entry.route != nullptr && entry.route->scopes == kNone) return entry;
  entry.refusal = refuse(head);
  if (entry.refusal) return entry;
  entry.who = context.access.authenticate(head, context.parts.clock.unix_ms());
  if (entry.who == nullptr) {
    entry.refusal = unauthenticated();
  } else if (entry.route == nullptr) {
    entry.refusal = missing(found, entry.path);
  } else {
    entry.refusal = objection(*entry.route, head, *entry.who);
  }
  return entry;
}

void Api::Impl::serve(Call call) {
  ++context.counters->requests;
  Entry entry = enter(*call.request);
  if (entry.who != nullptr) call.responder->sender_is_known();
  const size_t size = call.request->body.size();
  if (!entry.refusal && size > body_limit_of(context.parts.limits, *entry.route)) {
    entry.refusal = problem(413, "too_large",
                            fmt::format("the body has {} bytes, at most {} are accepted", size,
                                        body_limit_of(context.parts.limits, *entry.route)));
  }
  if (entry.refusal) {
    ++context.counters->refused;
    return call.responder->respond(std::move(*entry.refusal));
  }
  call.path = entry.path;
  call.who = std::move(entry.who);
  run(*entry.route, std::move(call));
}

// What may take long is run apart, unless too much waits there already.
void Api::Impl::run(const Route& route, Call call) {
  const ApiLimits& limits = context.parts.limits;
  const bool is_long = route.reads || call.request->body.size() > limits.small_body_bytes;
  if (!is_long || !context.parts.apart) return route.run(context, std::move(call));
  const std::string tenant = call.who != nullptr ? call.tenant() : std::string();
  if (!context.reads.has_room(tenant)) return call.responder->respond(busy());
  const int64_t came_us = context.parts.clock.monotonic_us();
  context.later(tenant, [this, &route, call = std::move(call), came_us] {
    const int64_t waited_ms = (context.parts.clock.monotonic_us() - came_us) / 1000;
    const bool late = waited_ms > context.parts.limits.read_wait_max_ms;
    late ? call.responder->respond(busy()) : route.run(context, call);
  });
}

Api::Api(ApiParts parts) : impl_(std::make_unique<Impl>(std::move(parts))) {}
Api::~Api() = default;

tl::expected<size_t, Response> Api::body_limit(const Request& head) {
  Impl::Entry entry = impl_->enter(head);
  if (!entry.refusal) return body_limit_of(impl_->context.parts.limits, *entry.route);
  ++impl_->context.counters->requests;
  ++impl_->context.counters->refused;
  return tl::unexpected(std::move(*entry.refusal));
}

void Api::handle(Request request, std::shared_ptr<Responder> responder) {
  Call call;
  call.request = std::make_shared<const Request>(std::move(request));
  call.responder = std::move(responder);
  impl_->serve(std::move(call));
}

Api::Traffic Api::traffic() const {
  const RequestCounters& counters = *impl_->context.counters;
  return {counters.requests, counters.streams.used() + counters.waits.used()};
}

engine::Observer& Api::observer() {
  return impl_->context.live;
}

void Api::publish_delta(const TaskId& task, const StepId& step, uint32_t attempt,
                        std::string_view text) {
  impl_->context.live.publish_delta(task, step, attempt, text);
}

}  // namespace perdure::api
