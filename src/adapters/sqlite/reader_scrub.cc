// A walk over all rows that no reader would meet by itself: one whose index, time or flag is what
// was damaged is not looked for any more.
#include <fmt/core.h>

#include <algorithm>
#include <array>

#include "adapters/sqlite/reader.h"
#include "adapters/sqlite/row_columns.h"
#include "base/text.h"
#include "ports/row_digest.h"

namespace perdure {
namespace {

// Where a walk stands: behind this key of this table.
struct Place {
  size_t table = 0;
  std::string key;   // of a task; empty: before all
  std::string name;  // of a timer
  int64_t number = 0;
};

std::string text_of(const Place& place) {
  return fmt::format("{}.{}.{}.{}", place.table, place.number, to_hex(place.key),
                     to_hex(place.name));
}

std::optional<Place> parse(const std::string& text) {
  if (text.empty()) return Place{};
  std::array<std::string, 4> parts;
  size_t part = 0;
  for (const char c : text) {
    if (c == '.') {
      if (++part == parts.size()) return std::nullopt;
    } else {
      parts[part] += c;
    }
  }
  const auto table = parse_u64(parts[0]);
  const auto number = parse_u64(parts[1]);
  const auto key = from_hex(parts[2]);
  const auto name = from_hex(parts[3]);
  if (!table || !number || !key || !name) return std::nullopt;
  return Place{static_cast<size_t>(*table), *key, *name, static_cast<int64_t>(*number)};
}

}  // namespace

Status Reader::prepare_scrub() {
  const std::string tasks = kSelectTasks, timers = kSelectTimers, interrupts = kSelectInterrupts;
  const std::pair<Statement*, std::string> statements[] = {
      {&scrub_tasks_, tasks + "WHERE task.id > ? ORDER BY task.id LIMIT ?"},
      {&scrub_timers_, timers + "WHERE (task, name) > (?, ?) ORDER BY task, name LIMIT ?"},
      {&scrub_interrupts_, interrupts + "WHERE (task, seq) > (?, ?) ORDER BY task, seq LIMIT ?"},
      {&scrub_idempotency_,
       "SELECT n, hash, request_hash, task.id, idempotency.created_ms, idempotency.digest FROM "
       "idempotency LEFT JOIN task ON task.key = idempotency.task WHERE n > ? ORDER BY n LIMIT ?"},
  };
  for (const auto& [statement, sql] : statements) {
    TRY_ASSIGN(*statement, Statement::prepare(database_, sql));
  }
  return {};
}

Result<ScrubPage> Reader::scrub(const std::string& cursor, size_t rows_max) {
  auto place = parse(cursor);
  if (!place) return fail(Code::kInvalid, "this is no cursor of a walk over all rows");
  ScrubPage page;
  const auto limit = static_cast<int64_t>(rows_max);
  size_t seen = 0;
  const auto damaged = [&](const char* table, const TaskId& task) {
    page.damaged.push_back({table, task, {}});
  };
  switch (place->table) {
    case 0: {
      const Run run(scrub_tasks_);
      scrub_tasks_.bind(Bytes{place->key}, limit);
      TRY_ASSIGN(const auto rows, collect(scrub_tasks_, [](Columns& c) { return task_row(c); }));
      for (const TaskRow& row : rows) {
        if (row.damaged) damaged("task", row.id);
        place->key = row.id.view();
      }
      seen = rows.size();
      break;
    }
    case 1: {
      const Run run(scrub_timers_);
      scrub_timers_.bind(Bytes{place->key}, place->name, limit);
      TRY_ASSIGN(const auto rows, collect(scrub_timers_, [](Columns& c) { return timer_row(c); }));
      for (const TimerRow& row : rows) {
        if (row.damaged) damaged("timer", row.task);
        place->key = row.task.view();
        place->name = row.timer;
      }
      seen = rows.size();
      break;
    }
    case 2: {
      const Run run(scrub_interrupts_);
      scrub_interrupts_.bind(Bytes{place->key}, place->number, limit);
      TRY_ASSIGN(const auto rows,
                 collect(scrub_interrupts_, [](Columns& c) { return interrupt_row(c); }));
      for (const InterruptRow& row : rows) {
        if (row.damaged) damaged("interrupt", row.task);
        place->key = row.task.view();
        place->number = static_cast<int64_t>(row.seq);
      }
      seen = rows.size();
      break;
    }
    default: {
      const Run run(scrub_idempotency_);
      scrub_idempotency_.bind(place->number, limit);
      for (;; ++seen) {
        TRY_ASSIGN(const bool row, scrub_idempotency_.step());
        if (!row) break;
        Columns columns(scrub_idempotency_);
        place->number = columns.integer();
        const std::string hash = columns.bytes();
        IdempotencyRow read;
        read.request_hash = columns.hash();
        read.task = columns.task();
        read.created_ms = columns.integer();
        const int64_t digest = columns.integer();
        if (columns.ok() && digest == digest_of(read, hash)) continue;
        page.damaged.push_back({"idempotency", read.task, read.request_hash});
      }
      break;
    }
  }
  constexpr size_t kLastTable = 3;
  if (seen < rows_max && place->table == kLastTable) return page;
  page.next = text_of(seen < rows_max ? Place{place->table + 1, "", "", 0} : *place);
  return page;
}

}  // namespace perdure
