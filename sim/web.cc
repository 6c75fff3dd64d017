#include "web.h"

#include "world.h"

namespace perdure::sim {
namespace {

constexpr std::string_view kToken = "a token of the simulator's clients";
constexpr int64_t kThreadUs = 300;  // until a thread of the server comes to it

}  // namespace

api::Request request_of(std::string method, std::string target, std::string body) {
  api::Request request;
  request.method = std::move(method);
  request.target = std::move(target);
  request.headers = {{"host", "127.0.0.1"}, {"authorization", "Bearer " + std::string(kToken)}};
  if (!body.empty()) request.headers.emplace_back("content-type", "application/json");
  request.body = std::move(body);
  return request;
}

uint64_t SimTimers::after(int64_t delay_ms, std::function<void()> callback) {
  const uint64_t id = ++count_;
  waiting_[id] = std::move(callback);
  const int64_t delay_us = delay_ms * 1000 + world_.dice().between(0, kThreadUs);
  world_.in_process(delay_us, "a server thread", [this, id] {
    auto due = waiting_.extract(id);
    if (!due.empty()) due.mapped()();
  });
  return id;
}

Line::Line(World& world, Answered answered, Heard heard)
    : world_(world),
      life_(world.process()),
      answered_(std::move(answered)),
      heard_(std::move(heard)) {}

bool Line::passes() {
  return !hung_up_ && world_.is_alive(life_) && world_.output("answer over HTTP", {});
}

void Line::respond(api::Response response) {
  ended_ = true;
  if (passes()) answered_(response);
}

void Line::start_stream(api::Response head) {
  if (passes()) answered_(head);
  if (!head.body.empty()) write(head.body);
}

bool Line::write(std::string_view bytes) {
  if (!passes()) return false;
  if (heard_) heard_(bytes);
  return true;
}

void Line::hang_up() {
  if (hung_up_) return;
  hung_up_ = true;
  if (!ended_ && gone_ && world_.is_alive(life_)) std::exchange(gone_, nullptr)();
}

Web::Web(World& world, runtime::Runtime& runtime, StoreReader& reader, Blobs& blobs, Rng& rng,
         const std::string& store_secret)
    : timers_(world),
      planners_(timers_, {}),
      api_({.engine = runtime.engine(),
            .reader = reader,
            .blobs = blobs,
            .agents = runtime.agents(),
            .tools = runtime.tools(),
            .clock = world.clock(),
            .rng = rng,
            .timers = timers_,
            .planners = planners_,
            .store_secret = store_secret,
            .credentials = {{sha256(kToken), std::string(kPrincipal), std::string(kTenant),
                             api::kAnyScope}},
            .keys = {},
            .hosts = {},
            .origins = {}}) {}

void Web::handle(api::Request request, std::shared_ptr<Line> line) {
  api_.handle(std::move(request), std::move(line));
}

}  // namespace perdure::sim
