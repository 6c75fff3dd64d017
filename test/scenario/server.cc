#include "scenario/server.h"

#include "scenario/line.h"

namespace perdure::scenario {

struct Server::Life {
  Life(Server& server, std::unique_ptr<MemoryStore> opened);

  std::unique_ptr<MemoryStore> owned_store;
  MemoryStore& store = *owned_store;
  std::deque<std::function<void()>> queue;
  OutsideHttp http;
  api::test::ManualTimers timers;
  api::RemotePlanners planners;
  std::unique_ptr<runtime::Runtime> runtime;
  std::unique_ptr<api::Api> api;
};

namespace {

runtime::Setup setup_of(const std::string& path) {
  auto config = server::read_config(path);
  if (!config) throw Failed("the operator's file: " + config.error().message);
  return std::move(config->setup);
}

api::Credential everything() {
  return {sha256("all"), "operator", "default", api::kAnyScope};
}

}  // namespace

Server::Life::Life(Server& server, std::unique_ptr<MemoryStore> opened)
    : owned_store(std::move(opened)),
      http(server.outside_,
           [this](std::function<void()> work) { queue.push_back(std::move(work)); }),
      timers(server.clock_),
      planners(timers, {}) {
  auto made = runtime::Runtime::make(
      setup_of(server.config_path_),
      {store, server.blobs_, server.clock_, server.rng_, http,
       [this](std::function<void()> work) { queue.push_back(std::move(work)); }, Secrets(),
       [](const std::string&) -> Result<std::string> { return std::string("model-key"); },
       [](const std::string& why) { throw Failed("the store failed: " + why); }});
  if (!made) throw Failed("the setup: " + made.error().message);
  runtime = std::move(*made);
  runtime->set_remote_planners([this](const std::string& name) { return planners.find(name); });
  api = std::make_unique<api::Api>(api::ApiParts{.engine = runtime->engine(),
                                                 .reader = store,
                                                 .blobs = server.blobs_,
                                                 .agents = runtime->agents(),
                                                 .tools = runtime->tools(),
                                                 .clock = server.clock_,
                                                 .rng = server.rng_,
                                                 .timers = timers,
                                                 .planners = planners,
                                                 .store_secret = store.secret(),
                                                 .credentials = {everything()},
                                                 .keys = {},
                                                 .hosts = {},
                                                 .origins = {}});
  runtime->engine().observe(&api->observer());
}

Server::Server(std::string config_path) : config_path_(std::move(config_path)), outside_(clock_) {
  life_ = std::make_unique<Life>(*this, std::make_unique<MemoryStore>(std::string(32, 's')));
  settle();
}

Server::~Server() = default;

void Server::crash() {
  disk_ = life_->store.snapshot();
  outside_.crash();
  life_ = nullptr;
  life_ = std::make_unique<Life>(*this, std::make_unique<MemoryStore>(*disk_));
  settle();
}

bool Server::step() {
  if (!life_->queue.empty()) {
    const auto work = std::move(life_->queue.front());
    life_->queue.pop_front();
    work();
    return true;
  }
  return life_->timers.run_due() || life_->runtime->engine().pump();
}

// Also what only waits for more to come: no commit is held back longer than that.
void Server::settle() {
  for (int round = 0; round < 2; ++round) {
    while (step()) continue;
    clock_.now_us += 10'000;
  }
}

void Server::pass(int64_t ms) {
  settle();
  const int64_t until_us = clock_.now_us + ms * 1000;
  for (;;) {
    const int64_t next_us =
        std::min(life_->timers.next_us().value_or(INT64_MAX),
                 std::max(life_->runtime->engine().next_wake_us(), clock_.now_us + 1000));
    if (next_us > until_us) break;
    clock_.now_us = std::max<int64_t>(clock_.now_us, next_us);
    settle();
  }
  clock_.now_us = std::max<int64_t>(clock_.now_us, until_us);
  settle();
}

std::shared_ptr<api::test::Recorder> Server::send(const std::string& method,
                                                  const std::string& target,
                                                  const std::string& body,
                                                  const api::Headers& headers) {
  api::Request request;
  request.method = method;
  request.target = target;
  request.body = body;
  request.headers = headers;
  request.headers.emplace_back("host", "127.0.0.1:7707");
  request.headers.emplace_back("authorization", "Bearer all");
  if (method != "GET") request.headers.emplace_back("content-type", "application/json");
  auto recorder = std::make_shared<api::test::Recorder>();
  life_->api->handle(std::move(request), recorder);
  return recorder;
}

api::test::Answer Server::ask(const std::string& method, const std::string& target,
                              const std::string& body, const api::Headers& headers) {
  const auto recorder = send(method, target, body, headers);
  settle();
  if (!recorder->response) throw Failed(method + " " + target + " was not answered");
  return {recorder->response->status, recorder->response->headers, recorder->response->body};
}

void Server::die_before(const std::string& method, const std::string& target,
                        const std::string& body, const api::Headers& headers) {
  const auto recorder = send(method, target, body, headers);
  if (recorder->response) throw Failed(method + " " + target + " was answered already");
  crash();
}

api::test::Answer Server::ask_and_die(const std::string& method, const std::string& target,
                                      const std::string& body, const api::Headers& headers) {
  const auto recorder = send(method, target, body, headers);
  while (!recorder->response && step()) continue;
  clock_.now_us += 10'000;
  while (!recorder->response && step()) continue;
  if (!recorder->response) throw Failed(method + " " + target + " was not answered");
  crash();
  return {recorder->response->status, recorder->response->headers, recorder->response->body};
}

}  // namespace perdure::scenario
