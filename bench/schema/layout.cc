#include "schema/layout.h"

#include <fmt/format.h>

#include <algorithm>
#include <numeric>

#include "schema/meter.h"

namespace perdure::bench {

namespace {

constexpr std::string_view kTenant = "acme-production";
constexpr std::string_view kMetadata =
    R"({"customer":"c-018842","channel":"email","priority":"normal","ticket":"T-2026-11-0042117"})";
constexpr std::string_view kUsage = R"({"in":18231,"out":2210,"usd_micros":41822})";
constexpr int kTouchEvery = 10;
constexpr size_t kNoiseBytes = 1 << 20;

std::string tenant_column(const Layout& layout) {
  return layout.integer_tenant ? "tenant INTEGER NOT NULL" : "tenant TEXT NOT NULL";
}

std::string task_column(const Layout& layout) {
  return layout.integer_task ? "task INTEGER NOT NULL" : "task BLOB NOT NULL";
}

std::string frame_ddl(const Layout& layout) {
  std::string columns = "first_seq INTEGER NOT NULL, n INTEGER NOT NULL, epoch INTEGER NOT NULL";
  if (layout.shape == FrameShape::kLinked) columns += ", prev_pos INTEGER NOT NULL";
  if (!layout.chain_in_body) columns += ", chain BLOB NOT NULL";
  columns += ", body BLOB NOT NULL";
  std::string owner = tenant_column(layout) + ", " + task_column(layout);
  if (layout.shape == FrameShape::kClustered) {
    return fmt::format(
        "CREATE TABLE frame({}, {}, PRIMARY KEY(task, first_seq)) STRICT, WITHOUT ROWID", owner,
        columns);
  }
  return fmt::format("CREATE TABLE frame(pos INTEGER PRIMARY KEY, {}, {}) STRICT", owner, columns);
}

std::string idempotency_ddl(const Layout& layout) {
  std::string rest = task_column(layout) + ", request_hash BLOB NOT NULL, expires INTEGER NOT NULL";
  switch (layout.idempotency) {
    case Idempotency::kText:
      return fmt::format(
          "CREATE TABLE idempotency({}, route TEXT NOT NULL, key TEXT NOT NULL, {}, "
          "PRIMARY KEY(tenant, route, key)) STRICT, WITHOUT ROWID",
          tenant_column(layout), rest);
    case Idempotency::kHash:
      return fmt::format(
          "CREATE TABLE idempotency(hash BLOB PRIMARY KEY, {}) STRICT, WITHOUT ROWID", rest);
    case Idempotency::kHashRowid:
      return fmt::format(
          "CREATE TABLE idempotency(n INTEGER PRIMARY KEY, hash BLOB NOT NULL UNIQUE, {}) STRICT",
          rest);
  }
  die("unknown idempotency shape");
}

std::string insert_sql(std::string_view table, std::string_view columns) {
  std::string marks = "?";
  for (char c : columns) {
    if (c == ',') marks += ",?";
  }
  return fmt::format("INSERT INTO {}({}) VALUES({})", table, columns, marks);
}

}  // namespace

std::vector<std::string> ddl(const Layout& layout) {
  std::vector<std::string> out{frame_ddl(layout)};
  if (layout.shape == FrameShape::kIndexed) {
    out.push_back("CREATE UNIQUE INDEX frame_by_task ON frame(task, first_seq)");
  }
  if (layout.shape == FrameShape::kDeferred) {
    out.push_back(
        "CREATE TABLE frame_by_task(task INTEGER NOT NULL, first_seq INTEGER NOT NULL, pos INTEGER "
        "NOT NULL, PRIMARY KEY(task, first_seq)) STRICT, WITHOUT ROWID");
  }
  out.push_back(fmt::format(
      "CREATE TABLE task({}, {}, principal TEXT NOT NULL, status INTEGER NOT NULL, phase INTEGER "
      "NOT NULL, wait TEXT, runnable INTEGER NOT NULL, planner TEXT NOT NULL, agent TEXT NOT NULL, "
      "session TEXT, metadata TEXT, created INTEGER NOT NULL, usage TEXT, head_pos INTEGER NOT "
      "NULL) STRICT",
      layout.integer_task ? "key INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE"
                          : "key INTEGER NOT NULL, id BLOB PRIMARY KEY",
      tenant_column(layout)));
  out.push_back("CREATE INDEX task_by_created ON task(tenant, created)");
  out.push_back("CREATE INDEX task_runnable ON task(runnable) WHERE runnable = 1");
  out.push_back(fmt::format(
      "CREATE TABLE timer(due INTEGER NOT NULL, {}, name TEXT NOT NULL, PRIMARY KEY(due, task, "
      "name)) STRICT, WITHOUT ROWID",
      task_column(layout)));
  out.push_back(idempotency_ddl(layout));
  if (layout.idempotency != Idempotency::kHashRowid) {
    out.push_back("CREATE INDEX idempotency_by_expiry ON idempotency(expires)");
  }
  return out;
}

Writer::Writer(Database& db, const Layout& layout) : layout_(layout), noise_(kNoiseBytes) {
  std::ranges::generate(noise_, [this] { return static_cast<uint8_t>(random_()); });
  bool clustered = layout.shape == FrameShape::kClustered;
  std::string columns = clustered ? "" : "pos,";
  columns += "tenant,task,first_seq,n,epoch";
  if (layout.shape == FrameShape::kLinked) columns += ",prev_pos";
  if (!layout.chain_in_body) columns += ",chain";
  insert_frame_ = Statement(db, insert_sql("frame", columns + ",body"));
  insert_task_ = Statement(
      db, insert_sql("task",
                     "key,id,tenant,principal,status,phase,wait,runnable,planner,agent,session,"
                     "metadata,created,usage,head_pos"));
  update_task_ = Statement(
      db, fmt::format("UPDATE task SET status=?,wait=?,runnable=?,usage=?,head_pos=? WHERE {}=?",
                      layout.integer_task ? "key" : "id"));
  insert_idempotency_ =
      Statement(db, insert_sql("idempotency", layout.idempotency == Idempotency::kText
                                                  ? "tenant,route,key,task,request_hash,expires"
                                                  : "hash,task,request_hash,expires"));
  insert_timer_ = Statement(db, insert_sql("timer", "due,task,name"));
  delete_timer_ = Statement(db, "DELETE FROM timer WHERE due=? AND task=? AND name=?");
  if (layout.shape == FrameShape::kDeferred) {
    insert_place_ = Statement(db, insert_sql("frame_by_task", "task,first_seq,pos"));
    select_ = Statement(
        db,
        "SELECT f.body FROM frame_by_task b JOIN frame f USING(pos) WHERE b.task=? ORDER BY "
        "b.first_seq");
  } else if (layout.shape == FrameShape::kLinked) {
    select_ = Statement(db, "SELECT body, prev_pos FROM frame WHERE pos=?");
  } else {
    select_ = Statement(db, "SELECT body FROM frame WHERE task=? ORDER BY first_seq");
  }
}

Blob Writer::noise(int bytes) {
  auto size = static_cast<size_t>(bytes);
  return {noise_.data() + random_() % (noise_.size() - size), size};
}

Value Writer::tenant_value() const {
  return layout_.integer_tenant ? Value{int64_t{1}} : Value{kTenant};
}

Value Writer::task_value(const Task& task) const {
  return layout_.integer_task ? Value{task.key} : Value{Blob{task.id}};
}

void Writer::insert_frame_row(const Task& task, int64_t records, int body_bytes) {
  constexpr int kChainBytes = 32;
  constexpr int64_t kEpoch = (int64_t{3} << 32) | 1;
  row_.clear();
  ++pos_;
  if (layout_.shape != FrameShape::kClustered) row_.emplace_back(pos_);
  row_.insert(row_.end(),
              {tenant_value(), task_value(task), task.next_seq, records, Value{kEpoch}});
  if (layout_.shape == FrameShape::kLinked) row_.emplace_back(task.head_pos);
  if (!layout_.chain_in_body) row_.emplace_back(noise(kChainBytes));
  row_.emplace_back(noise(body_bytes + (layout_.chain_in_body ? kChainBytes : 0)));
  insert_frame_.run(row_);
}

void Writer::append_frame(Task& task) {
  int rows = layout_.row_per_record ? kRecordsPerFrame : 1;
  for (int i = 0; i < rows; ++i) {
    insert_frame_row(task, kRecordsPerFrame / rows, kBodyBytes / rows);
    if (layout_.shape == FrameShape::kDeferred) places_.push_back({task.key, task.next_seq, pos_});
    task.next_seq += kRecordsPerFrame / rows;
    task.head_pos = pos_;
  }
  ++frames_;
  if (std::ssize(places_) >= kDeferredFrames) index_deferred();
}

void Writer::index_deferred() {
  std::ranges::sort(places_, {}, [](const Place& p) { return std::pair(p.task_key, p.first_seq); });
  for (const Place& place : places_) {
    insert_place_.run(std::array<Value, 3>{place.task_key, place.first_seq, place.pos});
  }
  places_.clear();
}

void Writer::submit() {
  ++clock_ms_;
  Task task{};
  task.key = std::ssize(tasks_) + 1;
  // UUIDv7 (RFC 9562 section 5.7): 48 bits of milliseconds, then random.
  for (int i = 0; i < 6; ++i) {
    task.id[static_cast<size_t>(i)] = static_cast<uint8_t>(clock_ms_ >> (40 - 8 * i));
  }
  std::ranges::copy(noise(10), task.id.begin() + 6);
  task.id[6] = static_cast<uint8_t>(0x70 | (task.id[6] & 0x0f));
  append_frame(task);

  std::string session = fmt::format("s-{:08x}", task.key / 3);
  insert_task_.run(std::array<Value, 15>{
      task.key, Blob{task.id}, tenant_value(), std::string_view("key:ci-7f3a"), int64_t{1},
      int64_t{0}, std::string_view("plan"), int64_t{1}, std::string_view("agent-loop"),
      std::string_view("support-triage"), session, kMetadata, clock_ms_, kUsage, task.head_pos});

  constexpr int64_t kKeptMs = 7 * 86'400'000;
  std::array<uint64_t, 2> hash{random_(), random_()};
  std::string key = fmt::format("{:016x}-{:016x}", hash[0], hash[1]);
  row_.clear();
  if (layout_.idempotency == Idempotency::kText) {
    row_.insert(row_.end(),
                {tenant_value(), std::string_view("POST /v1/tasks"), std::string_view(key)});
  } else {
    row_.emplace_back(Blob{reinterpret_cast<const uint8_t*>(hash.data()), sizeof hash});
  }
  row_.insert(row_.end(), {task_value(task), noise(32), clock_ms_ + kKeptMs});
  insert_idempotency_.run(row_);
  tasks_.push_back(task);
}

void Writer::touch_task(Task& task) {
  bool waits = task.timer_due == 0;
  if (waits) {
    task.timer_due = clock_ms_ + static_cast<int64_t>(random_() % 86'400'000);
    insert_timer_.run(
        std::array<Value, 3>{task.timer_due, task_value(task), std::string_view("t1")});
  } else {
    delete_timer_.run(
        std::array<Value, 3>{task.timer_due, task_value(task), std::string_view("t1")});
    task.timer_due = 0;
  }
  update_task_.run(std::array<Value, 6>{int64_t{waits ? 2 : 1},
                                        std::string_view(waits ? "timer" : "plan"), int64_t{!waits},
                                        kUsage, task.head_pos, task_value(task)});
}

void Writer::step() {
  Task& task = tasks_[order_[turn_ % order_.size()]];
  append_frame(task);
  if (turn_++ % kTouchEvery == 0) touch_task(task);
}

void Writer::shuffle(int active) {
  auto count = std::min(static_cast<size_t>(active), tasks_.size());
  order_.resize(count);
  std::iota(order_.begin(), order_.end(), static_cast<uint32_t>(tasks_.size() - count));
  std::ranges::shuffle(order_, random_);
}

int64_t Writer::walk_back(const Task& task) {
  int64_t bytes = 0;
  for (int64_t pos = task.head_pos; pos != 0;) {
    select_.bind(std::array<Value, 1>{pos});
    if (!select_.step()) die("a frame's predecessor is missing");
    bytes += select_.column_bytes(0);
    pos = select_.column_int(1);
    select_.reset();
  }
  return bytes;
}

int64_t Writer::read_journal() {
  const Task& task = tasks_[random_() % tasks_.size()];
  if (layout_.shape == FrameShape::kLinked) return walk_back(task);
  int64_t bytes = 0;
  select_.bind(std::array<Value, 1>{task_value(task)});
  while (select_.step()) bytes += select_.column_bytes(0);
  select_.reset();
  return bytes;
}

}  // namespace perdure::bench
