#include "api/world.h"

#include <gtest/gtest.h>

#include <sstream>

#include "base/text.h"

namespace perdure::api::test {

uint64_t ManualTimers::after(int64_t delay_ms, std::function<void()> callback) {
  const std::lock_guard lock(mutex_);
  const uint64_t id = ++last_id_;
  due_[{clock_.now_us + delay_ms * 1000, id}] = std::move(callback);
  return id;
}

void ManualTimers::cancel(uint64_t id) {
  std::function<void()> dropped;
  const std::lock_guard lock(mutex_);
  for (auto one = due_.begin(); one != due_.end(); ++one) {
    if (one->first.second != id) continue;
    dropped = std::move(one->second);
    due_.erase(one);
    return;
  }
}

bool ManualTimers::run_due() {
  std::function<void()> callback;
  {
    const std::lock_guard lock(mutex_);
    if (due_.empty() || due_.begin()->first.first > clock_.now_us) return false;
    callback = std::move(due_.begin()->second);
    due_.erase(due_.begin());
  }
  callback();
  return true;
}

std::optional<int64_t> ManualTimers::next_us() {
  const std::lock_guard lock(mutex_);
  if (due_.empty()) return std::nullopt;
  return due_.begin()->first.first;
}

size_t ManualTimers::pending() {
  const std::lock_guard lock(mutex_);
  return due_.size();
}

Result<AgentEntry> NamedAgents::find(const std::string& tenant, const std::string& name) const {
  for (const std::string& known : names(tenant)) {
    if (known != name) continue;
    Limits limits;
    limits.cost_micro_usd = 2'000'000;
    limits.tool_calls = 10;
    return AgentEntry{name, "v1", name == "outside" ? "outside-planner" : "inside", limits};
  }
  const auto nearest = nearest_word(name, names(tenant));
  return fail(Code::kNotFound, "there is no agent; did you mean '" + nearest.value_or("") + "'?");
}

Result<std::vector<AgentVersion>> NamedAgents::versions(const std::string& tenant,
                                                        const std::string& name) const {
  TRY_ASSIGN(const AgentEntry entry, find(tenant, name));
  return std::vector{AgentVersion{entry.version, entry.planner, true, 0, ""}};
}

std::vector<std::string> NamedAgents::names(const std::string&) const {
  return {"echo", "payer", "lookup", "talker", "scribe", "sleeper", "outside"};
}

std::vector<ToolEntry> TwoTools::tools() const {
  ToolEntry pay;
  pay.name = "pay";
  pay.kind = "http";
  pay.input_schema = R"({"type":"object"})";
  ToolEntry look;
  look.name = "shop.look";
  look.kind = "mcp";
  look.server = "shop";
  look.rules.ask = false;
  look.sha256 = accepted_ ? "bb" : "aa";
  look.offered_sha256 = "bb";
  look.state = accepted_ ? ToolState::kOk : ToolState::kChanged;
  if (!accepted_) look.why = "its schema changed";
  return {pay, look};
}

std::vector<ToolServerEntry> TwoTools::servers() const {
  return {{"shop", "mcp", true, "", "shop 1", "cc", accepted_ ? 0u : 1u}};
}

std::optional<CallPlace> TwoTools::place(const std::string& tool, std::string_view,
                                         std::string_view) const {
  if (tool != "pay") return std::nullopt;
  return CallPlace{"POST https://pay.example", "header Idempotency-Key", ""};
}

Result<std::vector<std::string>> TwoTools::accept(const std::string& server,
                                                  const std::string& seen) {
  if (server != "shop") return fail(Code::kNotFound, "there is no server '" + server + "'");
  if (!seen.empty() && seen != "cc") return fail(Code::kConflict, "it offers another list by now");
  accepted_ = true;
  return std::vector<std::string>{"shop.look"};
}

void InsidePlanner::plan(PlanRequest request, Done done) {
  AnswerTurn turn;
  turn.turn = request.plan.turn;
  turn.upto_seq = request.plan.upto_seq;
  turn.planner_version = "inside 1";
  const std::string input(request.input.view());
  CallAction call;
  call.step = "call-1";
  call.args = Payload::of(R"({"order":42})");
  const bool first = request.plan.turn == 1;
  if (first && (request.agent == "payer" || request.agent == "lookup")) {
    call.name = request.agent == "payer" ? "pay" : "look";
    turn.actions.push_back(call);
  } else if (first && request.agent == "talker") {
    call.name = "main";
    call.kind = CallKind::kModel;
    turn.actions.push_back(call);
  } else if (first && request.agent == "sleeper") {
    turn.actions.push_back(TimerAction{"nap", 60'000, 0});
  } else if (first && request.agent == "scribe") {
    for (int i = 0; i < std::stoi(input); ++i) {
      turn.actions.push_back(NoteAction{Payload::of(std::to_string(i))});
    }
    turn.actions.push_back(TimerAction{"soon", 10, 0});
  } else {
    turn.actions.push_back(CompleteAction{Payload::of(input), StopReason::kEndTurn});
  }
  done(std::move(turn));
}

Status NamePolicy::judge(const std::string&, AnswerTurn& turn) {
  for (Action& action : turn.actions) {
    auto* call = std::get_if<CallAction>(&action);
    if (call == nullptr) continue;
    call->verdict = call->name == "pay" ? Verdict::kAsk : Verdict::kAllow;
    call->contract.effect = call->name == "pay" ? EffectClass::kOnce : EffectClass::kRead;
    call->contract.max_attempts = 3;
    call->reserve.tool_calls = call->kind == CallKind::kTool ? 1 : 0;
    call->reserve.model_calls = call->kind == CallKind::kModel ? 1 : 0;
    call->reserve.cost_micro_usd = 250'000;
  }
  return {};
}

SettleStep AnsweringExecutor::success(const CallRequest& request) {
  SettleStep outcome;
  outcome.step = request.send.step;
  outcome.attempt = request.send.attempt;
  outcome.outcome = Outcome::kSucceeded;
  Usage used;
  used.cost_micro_usd = 120'000;
  (request.send.kind == CallKind::kTool ? used.tool_calls : used.model_calls) = 1;
  outcome.used = used;
  outcome.result = Payload::of(R"({"done":true})");
  return outcome;
}

void AnsweringExecutor::start(CallRequest request, Done done) {
  if (hold) {
    held.emplace_back(std::move(request), std::move(done));
  } else {
    done(success(request));
  }
}

void Recorder::respond(Response given) {
  const std::lock_guard lock(mutex);
  EXPECT_FALSE(response || streaming) << "answered twice";
  response = std::move(given);
}

void Recorder::start_stream(Response head) {
  const std::lock_guard lock(mutex);
  EXPECT_FALSE(response || streaming) << "answered twice";
  response = std::move(head);
  streaming = true;
}

bool Recorder::write(std::string_view bytes) {
  const std::lock_guard lock(mutex);
  EXPECT_TRUE(streaming && !ended);
  if (refuses_writes) return false;
  stream += bytes;
  return true;
}

void Recorder::disconnect() {
  refuses_writes = true;
  if (gone_) gone_();
}

std::string Answer::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return "";
}

json::value Answer::json() const {
  auto value = parse_json(body, "answer", {.depth = 200});
  EXPECT_TRUE(value) << body;
  return value ? *value : json::value();
}

std::string Answer::text(std::string_view pointer) const {
  const json::value root = json();
  const auto found = find_pointer(root, pointer);
  if (!found || *found == nullptr || !(*found)->is_string()) {
    ADD_FAILURE() << "no text at " << pointer << " in " << body;
    return "";
  }
  return std::string((*found)->get_string());
}

int64_t Answer::number(std::string_view pointer) const {
  const json::value root = json();
  const auto found = find_pointer(root, pointer);
  if (!found || *found == nullptr || !(*found)->is_number()) {
    ADD_FAILURE() << "no number at " << pointer << " in " << body;
    return -1;
  }
  return (*found)->to_number<int64_t>();
}

namespace {

Credential operators_own() {
  return {sha256("operator"), "operator", "acme", kAnyScope, 0, true};
}

Credential credential(std::string token, std::string tenant, Scopes scopes) {
  return {sha256(token), token + "-person", std::move(tenant), scopes};
}

}  // namespace

World::World(ApiLimits limits, RemotePlannersOptions planner_options,
             std::function<void(std::function<void()>)> apart)
    : planners(timers, planner_options),
      engine({store, blobs, clock, rng, policy,
              [this](const std::string& name) -> Planner* {
                return name == "inside" ? &inside : planners.find(name);
              },
              [this](CallKind) -> Executor* { return &executor; },
              [this](std::string why) { store_failure = std::move(why); }},
             {.commit_delay_max_us = 0}),
      api({engine,
           store,
           blobs,
           agents,
           tools,
           clock,
           rng,
           timers,
           planners,
           store.secret(),
           {credential("all", "acme", kAnyScope), credential("runner", "acme", kRun),
            credential("approver", "acme", kApprove), credential("worker", "acme", kPlan),
            credential("stranger", "other", kAnyScope), operators_own()},
           {},
           {"perdure.example"},
           {"https://console.example"},
           limits,
           nullptr,
           {},
           {},
           {},
           {},
           {},
           std::move(apart)}) {
  engine.observe(&api.observer());
  planners.add("outside-planner");
  settle();
}

bool World::step() {
  return timers.run_due() || engine.pump();
}

void World::settle() {
  while (step()) continue;
  EXPECT_FALSE(store_failure.has_value());
}

void World::pass(int64_t ms) {
  settle();
  const int64_t until_us = clock.now_us + ms * 1000;
  for (;;) {
    const int64_t next_us = std::min(timers.next_us().value_or(INT64_MAX),
                                     std::max(engine.next_wake_us(), clock.now_us + 1000));
    if (next_us > until_us) break;
    clock.now_us = std::max<int64_t>(clock.now_us, next_us);
    settle();
  }
  clock.now_us = until_us;
  settle();
}

Request World::request_of(const Ask& ask) {
  Request request;
  request.method = ask.method;
  request.target = ask.target;
  request.body = ask.body;
  request.headers = ask.headers;
  if (!request.header("host")) request.headers.emplace_back("host", "127.0.0.1:7070");
  if (!ask.token.empty()) {
    request.headers.emplace_back("authorization", "Bearer " + ask.token);
  }
  if (ask.method == "POST" && !request.header("content-type")) {
    request.headers.emplace_back("content-type", "application/json");
  }
  return request;
}

std::shared_ptr<Recorder> World::start(const Ask& ask) {
  auto recorder = std::make_shared<Recorder>();
  api.handle(request_of(ask), recorder);
  return recorder;
}

Answer World::answer_of(Recorder& recorder) {
  const std::lock_guard lock(recorder.mutex);
  if (!recorder.response) return {};
  return {recorder.response->status, recorder.response->headers, recorder.response->body};
}

Answer World::ask(const Ask& ask) {
  const auto recorder = start(ask);
  settle();
  EXPECT_TRUE(recorder->response.has_value()) << ask.method << " " << ask.target;
  return answer_of(*recorder);
}

std::string World::submit(const std::string& agent, const std::string& input) {
  const Answer answer = post("/v1/tasks", R"({"agent":")" + agent + R"(","input":)" + input + "}");
  EXPECT_EQ(answer.status, 202) << answer.body;
  return answer.text("/id");
}

std::vector<Message> messages_of(const std::string& stream) {
  std::vector<Message> messages;
  std::istringstream lines(stream);
  Message message;
  bool any = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.empty()) {
      if (any) messages.push_back(message);
      message = {};
      any = false;
    } else if (line.starts_with("id: ")) {
      message.id = line.substr(4);
      any = true;
    } else if (line.starts_with("event: ")) {
      message.event = line.substr(7);
      any = true;
    } else if (line.starts_with("data: ")) {
      message.data = line.substr(6);
      any = true;
    } else {
      EXPECT_TRUE(line.starts_with(":")) << line;
    }
  }
  EXPECT_FALSE(any) << "the stream ends within a message";
  return messages;
}

}  // namespace perdure::api::test
