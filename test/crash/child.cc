#include "crash/child.h"

#include <fmt/core.h>
#include <unistd.h>

#include <mutex>

#include "adapters/files/file_blobs.h"
#include "adapters/sqlite/sqlite_store.h"
#include "adapters/system/system_clock.h"
#include "base/text.h"
#include "crash/claims.h"
#include "crash/jobs.h"
#include "crash/wire_executor.h"
#include "crash/words.h"
#include "engine/journal_reader.h"
#include "engine/stow.h"
#include "runtime/engine_thread.h"
#include "runtime/runtime.h"

namespace perdure::crash {
namespace {

constexpr int kExitStoreFailed = 74;
// Small, so that a short life has many checkpoints.
constexpr uint64_t kLogBytes = 256 * 1024;
constexpr int64_t kCheckpointPages = 48;

// No task here calls a model or an HTTP tool.
class NoHttp : public HttpClient {
 public:
  CallId send(HttpRequest, HttpCallbacks callbacks) override {
    callbacks.on_done({});
    return 0;
  }
  void cancel(CallId) override {}
};

ToolRules rules_of(EffectClass effect, OnDoubt on_doubt) {
  ToolRules rules;
  rules.ask = false;
  rules.contract.effect = effect;
  rules.contract.on_doubt = on_doubt;
  rules.contract.horizon_ms = 3'600'000;
  rules.contract.max_attempts = 40;  // more than there are kills and cut connections
  rules.contract.backoff_ms = 2;
  rules.contract.backoff_max_ms = 10;
  return rules;
}

}  // namespace

struct Child::Impl : engine::Observer {
  Impl(std::unique_ptr<SqliteStore> opened, std::unique_ptr<FileBlobs> opened_blobs,
       std::function<void(const std::string&)> to)
      : store(std::move(opened)),
        blobs(std::move(opened_blobs)),
        say_one(std::move(to)),
        executor([this](const std::string& line) { say(line); }) {}
  ~Impl() override {
    if (thread) thread->stop(0);
  }

  Status start();
  void on_durable(std::span<const engine::Committed> tasks) override;
  void say(const std::string& line) {
    const std::lock_guard lock(mutex);
    say_one(line);
  }
  Status submit(const std::vector<std::string>& words);
  void keep(const std::string& tenant, const std::string& name);
  Status decide(const std::vector<std::string>& words);
  Status tell_questions(const std::string& tenant);

  std::unique_ptr<SqliteStore> store;
  std::unique_ptr<FileBlobs> blobs;
  std::mutex mutex;  // of `say_one`
  std::function<void(const std::string&)> say_one;
  SystemClock clock;
  SystemRng rng;
  NoHttp http;
  WireExecutor executor;
  std::unique_ptr<runtime::Runtime> runtime;
  std::unique_ptr<runtime::EngineThread> thread;
};

Status Child::Impl::start() {
  TRY_ASSIGN(runtime, runtime::Runtime::make({}, {*store,
                                                  *blobs,
                                                  clock,
                                                  rng,
                                                  http,
                                                  [](std::function<void()> work) { work(); },
                                                  {},
                                                  {},
                                                  [this](const std::string& why) {
                                                    say("failed " + why);
                                                    _exit(kExitStoreFailed);
                                                  }}));
  runtime->add_tool("read", rules_of(EffectClass::kRead, OnDoubt::kAsk));
  runtime->add_tool("repeat", rules_of(EffectClass::kRepeat, OnDoubt::kAsk));
  runtime->add_tool("idempotent", rules_of(EffectClass::kIdempotent, OnDoubt::kAsk));
  runtime->add_tool("once", rules_of(EffectClass::kOnce, OnDoubt::kAsk));
  runtime->add_tool("once_error", rules_of(EffectClass::kOnce, OnDoubt::kError));
  runtime->set_tool_executor(&executor);
  runtime->engine().observe(this);
  thread = std::make_unique<runtime::EngineThread>(runtime->engine(), clock);
  for (const char* tenant : {"default", "other"}) TRY_STATUS(tell_questions(tenant));
  thread->start();
  return {};
}

// Those that were asked before this process began.
Status Child::Impl::tell_questions(const std::string& tenant) {
  TRY_ASSIGN(const auto rows, store->interrupts(InterruptQuery{tenant, {}, {}, {}, 10'000}));
  for (const InterruptRow& row : rows) {
    engine::JournalReader journal(*store, row.task, row.seq);
    TRY_ASSIGN(const Record* record, journal.next());
    const auto* asked = record ? std::get_if<InterruptRequested>(&record->body) : nullptr;
    if (asked == nullptr) continue;
    say(fmt::format("ask {} {} {} {}", row.task.to_string(), row.seq, to_string(asked->reason),
                    asked->step.empty() ? "-" : asked->step));
  }
  return {};
}

void Child::Impl::on_durable(std::span<const engine::Committed> tasks) {
  for (const engine::Committed& committed : tasks) {
    for (const Record& record : committed.records) {
      say("ack " + line_of(committed.task, record));
      const auto* asked = std::get_if<InterruptRequested>(&record.body);
      if (asked == nullptr) continue;
      say(fmt::format("ask {} {} {} {}", committed.task.to_string(), record.seq,
                      to_string(asked->reason), asked->step.empty() ? "-" : asked->step));
    }
  }
}

Status Child::Impl::submit(const std::vector<std::string>& w) {
  engine::NewTask task;
  task.submit.tenant = w.at(1);
  task.submit.principal = "client";
  task.submit.planner = "script";
  task.submit.input = Payload::of(w.at(3));
  task.idempotency = engine::IdempotencyKey{"tasks", w[2], task.submit.input.hash};
  TRY_STATUS(engine::stow(*blobs, w[1], task.submit.input));
  task.reply = [this, tenant = w[1], key = w[2]](const Result<engine::Submitted>& done) {
    if (!done) return say(fmt::format("refused {} {}", key, done.error().message));
    say(fmt::format("ack task {} {} {}", tenant, key, done->task.to_string()));
    if (!done->repeated) return;
    const auto row = store->task(done->task);
    const bool ended = row && *row && is_terminal((*row)->status);
    if (ended) say("ended " + done->task.to_string());
  };
  runtime->engine().submit(std::move(task));
  keep(w[1], w[2]);
  return {};
}

// Agents and keys that are put stand in such rows.
void Child::Impl::keep(const std::string& tenant, const std::string& name) {
  const std::string value = fmt::format("{}", clock.unix_ms());
  runtime->engine().keep({{std::string(kKeptKind), tenant, name, value}},
                         [this, tenant, name, value](const Result<engine::Submitted>& done) {
                           if (done) say(fmt::format("ack kept {} {} {}", tenant, name, value));
                         });
}

Status Child::Impl::decide(const std::vector<std::string>& w) {
  Resolve resolve;
  resolve.interrupt_seq = parse_u64(w.at(2)).value_or(0);
  resolve.decision = w.at(3) == "happened" ? Decision::kHappened : Decision::kNotHappened;
  resolve.by = "rig";
  if (resolve.decision == Decision::kHappened) resolve.given = Payload::of("\"asserted\"");
  const auto task = TaskId::parse(w[1]);
  if (!task) return fail(Code::kInvalid, "no task id: " + w[1]);
  runtime->engine().command(*task, std::move(resolve), {});
  return {};
}

Child::Child(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Child::~Child() = default;

Result<std::unique_ptr<Child>> Child::start(ChildOptions options,
                                            std::function<void(const std::string&)> say) {
  SqliteOptions store_options;
  store_options.dir = options.dir;
  store_options.readers = 1;
  store_options.unsafe_no_sync = options.unsafe_no_sync;
  store_options.log_bytes = kLogBytes;
  store_options.checkpoint_pages = kCheckpointPages;
  TRY_ASSIGN(auto store, SqliteStore::open(store_options));
  TRY_ASSIGN(auto blobs, FileBlobs::open(options.dir));
  auto impl = std::make_unique<Impl>(std::move(store), std::move(blobs), std::move(say));
  TRY_STATUS(impl->start());
  return std::unique_ptr<Child>(new Child(std::move(impl)));
}

Status Child::hear(std::string_view line) {
  const auto w = words(line, 3);
  if (w.at(0) == "submit") return impl_->submit(w);
  if (w[0] == "decide") return impl_->decide(w);
  if (w[0] == "answer") return impl_->executor.answer(words(line));
  return fail(Code::kInvalid, "unknown line: " + std::string(line));
}

}  // namespace perdure::crash
