#include "engine_world.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

namespace perdure::bench {
namespace {

class NoHttp : public HttpClient {
 public:
  CallId send(HttpRequest request, HttpCallbacks) override {
    die("nothing may ask " + request.url);
  }
  void cancel(CallId) override {}
};

ToolRules rules(bool ask) {
  ToolRules rules;
  rules.contract.effect = EffectClass::kOnce;
  rules.ask = ask;
  return rules;
}

}  // namespace

Noise::Noise() : text_(1 << 20, '\0') {
  constexpr std::string_view kAlphabet =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  state_ = SystemRng().next() | 1;
  for (char& c : text_) c = kAlphabet[next() % kAlphabet.size()];
}

// xorshift64 of Marsaglia, 2003.
uint64_t Noise::next() {
  state_ ^= state_ << 13;
  state_ ^= state_ >> 7;
  state_ ^= state_ << 17;
  return state_;
}

std::string_view Noise::take(size_t size_bytes) {
  return std::string_view(text_).substr(next() % (text_.size() - size_bytes), size_bytes);
}

WritingTool::WritingTool(const std::string& path)
    : fd_(open(path.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600)) {
  if (fd_ < 0) die("cannot open " + path);
}

WritingTool::~WritingTool() {
  close(fd_);
}

std::string WritingTool::name_of(const TaskId& task, const StepId& step) {
  return task.to_string() + ' ' + step;
}

void WritingTool::start(CallRequest request, Done done) {
  if (on_start) on_start();
  std::string line = name_of(request.task, request.send.step) + ' ';
  line += noise_.take(kStepBytes - 1 - line.size());
  line += '\n';
  if (write(fd_, line.data(), line.size()) != ssize_t(kStepBytes)) die("the write outside failed");
  ++calls;
  SettleStep outcome;
  outcome.step = std::move(request.send.step);
  outcome.attempt = request.send.attempt;
  outcome.outcome = Outcome::kSucceeded;
  outcome.result = Payload::of(std::string(noise_.take(kStepBytes)));
  done(std::move(outcome));
}

EngineWorld::EngineWorld(const std::string& dir, Outside outside, bool unsafe_no_sync) {
  static NoHttp no_http;
  SqliteOptions options;
  options.dir = dir;
  options.unsafe_no_sync = unsafe_no_sync;
  store_ = must(SqliteStore::open(options));
  blobs_ = must(FileBlobs::open(dir));
  runtime::Outside ports{*store_,
                         *blobs_,
                         clock_,
                         rng_,
                         outside.http ? *outside.http : no_http,
                         [](std::function<void()> work) { work(); },
                         Secrets{},
                         [](const std::string&) -> Result<std::string> { return std::string(); },
                         [](std::string why) { die("the store failed: " + why); }};
  if (outside.snapshots) {
    snapshots_ = must(SnapshotFiles::open(dir));
    readers_ = std::make_unique<runtime::Workers>(1, runtime::Workers::Priority::kLow);
    ports.snapshots = snapshots_.get();
    ports.load = [this](std::function<void()> work) { readers_->put(std::move(work)); };
  }
  runtime_ = must(runtime::Runtime::make(std::move(outside.setup), std::move(ports)));
  runtime_->add_tool("write", rules(false));
  runtime_->add_tool("ask", rules(true));
  runtime_->set_tool_executor(&outside.tool);
  engine().observe(&ends_);
}

EngineWorld::~EngineWorld() {
  engine().halt();
  if (readers_) readers_->stop();
}

void EngineWorld::Ends::on_durable(std::span<const engine::Committed> tasks) {
  for (const engine::Committed& task : tasks) {
    if (std::holds_alternative<TaskEnded>(task.records.back().body)) ++count;
  }
}

void EngineWorld::submit_script(std::string script) {
  engine::NewTask task;
  task.submit.tenant = "default";
  task.submit.principal = "bench";
  task.submit.planner = "script";
  task.submit.agent = "bench";
  // A limit that is never reached still has to be looked at.
  task.submit.limits.tool_calls = 1'000'000'000;
  task.submit.input = Payload::of(std::move(script));
  task.reply = [](Result<engine::Submitted> reply) { must(std::move(reply)); };
  engine().submit(std::move(task));
}

void EngineWorld::submit_to_agent(const std::string& agent, std::string input) {
  const auto entry = runtime_->agents().find("default", agent);
  if (!entry) die("there is no agent " + agent);
  engine::NewTask task;
  task.submit.tenant = "default";
  task.submit.principal = "bench";
  task.submit.planner = entry->planner;
  task.submit.agent = agent;
  task.submit.agent_version = entry->version;
  task.submit.limits = entry->limits;
  task.submit.input = Payload::of(std::move(input));
  task.reply = [](Result<engine::Submitted> reply) { must(std::move(reply)); };
  engine().submit(std::move(task));
}

void EngineWorld::pump() {
  if (engine().pump()) return;
  const int64_t wait_us = engine().next_wake_us() - clock_.monotonic_us();
  if (wait_us > 0) engine().mailbox().wait(wait_us);
}

void EngineWorld::pump_until(const std::function<bool()>& reached) {
  while (!reached()) pump();
}

std::string acting_script(int64_t times, const std::string& tool) {
  static Noise noise;
  return fmt::format(R"({{"script":[{{"repeat":{},"do":[{{"call":{{"step":"s","tool":"{}",)"
                     R"("args":"{}"}}}},{{"await":"s"}}]}}]}})",
                     times, tool, noise.take(kStepBytes - 2));
}

}  // namespace perdure::bench
