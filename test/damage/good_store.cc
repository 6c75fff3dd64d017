#include "damage/good_store.h"

#include <fmt/core.h>

#include "adapters/files/snapshot_files.h"
#include "adapters/sqlite/sqlite_store.h"
#include "base/assert.h"
#include "engine/world.h"
#include "fakes/counting_rng.h"

namespace perdure::damage {
namespace {

std::string call_of(const std::string& tool, int order) {
  return fmt::format(R"({{"script":[{{"call":{{"step":"go","tool":"{}","args":{{"order":{}}}}}}},
    {{"await":"go"}}, {{"complete":{{"$result":"go"}}}}]}})",
                     tool, order);
}

constexpr const char* kNap = R"({"script":[{"timer":{"id":"nap","after_ms":1800000}},
  {"await":{"timer":"nap"}}, {"call":{"step":"late","tool":"once.late","args":{}}},
  {"await":"late"}, {"complete":1}]})";

}  // namespace

GoodStore make_good_store(const std::string& dir) {
  GoodStore good{dir, {}, call_of("idempotent.keyed", 42)};
  SqliteOptions options;
  options.dir = dir;
  options.log_bytes = 1 << 16;
  auto store = SqliteStore::open(options);
  PERDURE_ASSERT(store.has_value(), "a store can be made");
  const auto snapshots = SnapshotFiles::open(dir);
  PERDURE_ASSERT(snapshots.has_value(), "snapshots can be kept");
  test::StillClock clock;
  test::CountingRng rng;
  test::MemoryBlobs blobs;
  test::NamedPolicy policy;
  test::ScriptDirect planner;
  test::HandExecutor executor;
  engine::Engine engine(engine::World{**store,
                                      blobs,
                                      clock,
                                      rng,
                                      policy,
                                      [&](const std::string&) -> Planner* { return &planner; },
                                      [&](CallKind) -> Executor* { return &executor; },
                                      [](const std::string&) {},
                                      {},
                                      snapshots->get()},
                        engine::Options{.snapshot_floor = 0});
  const auto pump = [&] {
    for (int round = 0; round < 2; ++round) {
      while (engine.pump()) {
      }
      clock.now_ms += 10;
    }
  };
  const auto submit = [&](const std::string& script, const std::string& key = {}) {
    engine::NewTask task;
    task.submit.tenant = "t";
    task.submit.principal = "ann";
    task.submit.planner = "script";
    task.submit.agent = "refunds";
    task.submit.metadata = R"({"customer":"c-17"})";
    task.submit.session = "chat-3";
    task.submit.input = Payload::of(script);
    if (!key.empty()) task.idempotency = {"tasks", key, sha256(script)};
    TaskId id;
    task.reply = [&](const Result<engine::Submitted>& reply) { id = reply->task; };
    engine.submit(std::move(task));
    pump();
    good.tasks.push_back(id);
    return id;
  };
  submit(good.key_script, kKey);
  submit(call_of("once.pay", 1));
  submit(call_of("read.look", 2));
  submit(call_of("repeat.sync", 3));
  submit(call_of("ask.sell", 4));
  submit(kNap);
  submit(call_of("once.doubt", 5));
  executor.answer(executor.sent.size() - 1, Outcome::kInDoubt);
  pump();
  submit(call_of("idempotent.later", 6));
  executor.answer(executor.sent.size() - 1, Outcome::kDeferred);
  pump();
  submit(call_of("read.done", 7));
  executor.answer(executor.sent.size() - 1, Outcome::kSucceeded);
  pump();
  engine.keep({{"agent", "t", "refunds/00000001", R"({"version":"v","at_ms":1,"by":"ann"})"},
               {"key", "t", "key_1", R"({"scopes":1})"}},
              [](const auto&) {});
  pump();
  return good;
}

}  // namespace perdure::damage
