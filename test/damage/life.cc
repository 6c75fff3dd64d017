#include "damage/life.h"

#include <fmt/core.h>

#include "adapters/files/snapshot_files.h"
#include "base/text.h"
#include "core/evolve.h"
#include "engine/journal_reader.h"
#include "engine/rows.h"
#include "fakes/counting_rng.h"
#include "journal/frame.h"

namespace perdure::damage {

struct Life::Parts {
  std::unique_ptr<SqliteStore> store;
  std::unique_ptr<SnapshotFiles> snapshots;
  test::StillClock clock;
  test::CountingRng rng;
  test::NamedPolicy policy;
  test::ScriptDirect planner;
  test::HandExecutor executor;
  std::unique_ptr<engine::Engine> engine;
  size_t noted = 0;  // of the executor's calls
};

Life::Life() : parts_(std::make_unique<Parts>()) {}
Life::~Life() {
  parts_->engine.reset();
}

std::unique_ptr<Life> Life::begin(const std::string& dir, test::MemoryBlobs& blobs,
                                  std::string& error) {
  SqliteOptions options;
  options.dir = dir;
  options.log_bytes = 1 << 16;
  options.readers = 1;
  options.unsafe_no_sync = true;
  auto store = SqliteStore::open(options);
  if (!store) {
    error = store.error().message;
    return nullptr;
  }
  std::unique_ptr<Life> life(new Life);
  Parts& parts = *life->parts_;
  parts.store = std::move(*store);
  parts.snapshots = std::move(*SnapshotFiles::open(dir));
  parts.engine = std::make_unique<engine::Engine>(
      engine::World{*parts.store,
                    blobs,
                    parts.clock,
                    parts.rng,
                    parts.policy,
                    [&parts](const std::string&) -> Planner* { return &parts.planner; },
                    [&parts](CallKind) -> Executor* { return &parts.executor; },
                    [](const std::string&) {},
                    {},
                    parts.snapshots.get()},
      engine::Options{.snapshot_floor = 0});
  if (const Status loaded = parts.engine->load_damage(); !loaded) {
    error = loaded.error().message;
    return nullptr;
  }
  return life;
}

size_t Life::quarantined() const {
  return parts_->engine->quarantine().standing();
}

void Life::show(const std::vector<TaskId>& tasks) {
  StoreReader& store = *parts_->store;
  const auto shown = [&](const std::string& line) { lines_.insert(line); };
  for (const TaskId& id : tasks) {
    const std::string name = id.to_string();
    const auto row = store.task(id);
    if (!row) {
      ++damaged_;
    } else if (*row) {
      const TaskRow& r = **row;
      shown(fmt::format("show {} row {} {} {} {} {} {} {} {} {}", name, r.tenant, r.principal,
                        to_string(r.status), to_string(r.phase), r.waiting_for, r.agent, r.metadata,
                        r.session, r.ended_seq));
    }
    core::TaskState state;
    state.id = id;
    engine::JournalReader journal(store, id, 1);
    for (;;) {
      const auto record = journal.next();
      if (!record || (*record != nullptr && !core::evolve(state, **record))) {
        ++damaged_;
        break;
      }
      if (*record != nullptr) continue;
      if (state.head > 0) {
        shown(fmt::format("show {} state {}", name, to_hex(core::hash_of(state).view())));
      }
      break;
    }
  }
  TaskQuery query;
  query.tenant = "t";
  query.limit = 200;
  for (const TaskRow& row : store.tasks(query).value_or(std::vector<TaskRow>())) {
    if (row.damaged) {
      ++damaged_;
    } else {
      shown(fmt::format("list {} {}", row.id.to_string(), to_string(row.status)));
    }
  }
  const auto asked = store.interrupts(InterruptQuery{"t", {}, {}, {}, 200});
  for (const InterruptRow& row : asked.value_or(std::vector<InterruptRow>())) {
    if (row.damaged) {
      ++damaged_;
    } else {
      shown(fmt::format("inbox {} {} {}", row.task.to_string(), row.seq, to_string(row.reason)));
    }
  }
}

void Life::pump(int64_t ms) {
  for (int round = 0; round < 2; ++round) {
    while (parts_->engine->pump()) {
    }
    parts_->clock.now_ms += 10;
  }
  parts_->clock.now_ms += ms;
  note_sends();
}

void Life::note_sends() {
  const auto& sent = parts_->executor.sent;
  for (; parts_->noted < sent.size(); ++parts_->noted) {
    const CallRequest& call = sent[parts_->noted].request;
    lines_.insert(fmt::format("send {} {} {} key={} args={}", call.task.to_string(), call.send.step,
                              call.send.name, call.key, call.send.args.view()));
  }
}

void Life::recover() {
  for (const int64_t ms : {0, 1'000, 60'000, 600'000, 3'600'000, 0}) pump(ms);
}

void Life::act(const std::string& key_script) {
  std::string cursor;
  do {
    auto page = parts_->store->scrub(cursor, 64);
    if (!page) break;
    for (DamagedRow& row : page->damaged) parts_->engine->on_damaged_row(std::move(row));
    cursor = page->next;
  } while (!cursor.empty());
  pump(0);
  const auto asked = parts_->store->interrupts(InterruptQuery{"t", {}, {}, {}, 200});
  for (const InterruptRow& row : asked.value_or(std::vector<InterruptRow>())) {
    if (row.damaged || row.reason != InterruptReason::kToolApproval) continue;
    Resolve approve;
    approve.interrupt_seq = row.seq;
    approve.decision = Decision::kApprove;
    approve.by = "ann";
    parts_->engine->command(row.task, std::move(approve));
  }
  engine::NewTask again;
  again.submit.tenant = "t";
  again.submit.planner = "script";
  again.submit.input = Payload::of(key_script);
  again.idempotency = {"tasks", "order-42", sha256(key_script)};
  again.reply = [this](const Result<engine::Submitted>& reply) {
    if (reply) {
      lines_.insert(fmt::format("again {} {}", reply->task.to_string(), reply->repeated));
    } else {
      ++damaged_;
    }
  };
  parts_->engine->submit(std::move(again));
  pump(0);
  pump(0);
}

}  // namespace perdure::damage
