#include "crash/journals.h"

#include <fmt/core.h>

#include <filesystem>

#include "adapters/files/file_blobs.h"
#include "adapters/sqlite/doctor.h"
#include "adapters/sqlite/sqlite_store.h"
#include "base/text.h"
#include "engine/journal_reader.h"

namespace perdure::crash {
namespace {

Status examine(const std::string& dir, Judgement& out) {
  TRY_ASSIGN(const auto blobs, FileBlobs::open(dir));
  TRY_ASSIGN(const StoreReport report, examine_store(dir, blobs.get()));
  for (const std::string& problem : report.problems) out.corrupt.push_back(problem);
  return {};
}

Status read_tenant(SqliteStore& store, const std::string& tenant, Judgement& out) {
  TRY_ASSIGN(const auto rows, store.tasks({tenant, {}, {}, {}, {}, 1'000'000}));
  for (const TaskRow& row : rows) {
    std::vector<Record>& journal = out.journals[row.id.to_string()];
    engine::JournalReader reader(store, row.id, 1);
    for (;;) {
      TRY_ASSIGN(Record * record, reader.next());
      if (record == nullptr) break;
      journal.push_back(std::move(*record));
    }
  }
  return {};
}

Status check_tasks(SqliteStore& store, const Claims& claims, Judgement& out) {
  for (const auto& [key, task] : claims.tasks) {
    TRY_ASSIGN(const auto row, store.idempotency(key.first, "tasks", key.second));
    if (!out.journals.contains(task)) {
      out.lost.push_back(fmt::format("task {} of key {}", task, key.second));
    } else if (!row) {
      out.lost.push_back(fmt::format("the key {} of task {}", key.second, task));
    } else if (row->task.to_string() != task) {
      out.corrupt.push_back(fmt::format("key {} names {}, acknowledged was {}", key.second,
                                        row->task.to_string(), task));
    }
  }
  return {};
}

// One that was not acknowledged may have taken the place of the one that was.
Status check_kept(SqliteStore& store, const Claims& claims, Judgement& out) {
  TRY_ASSIGN(const auto rows, store.kept(std::string(kKeptKind), {}, 1'000'000));
  std::map<std::pair<std::string, std::string>, uint64_t> there;
  for (const KeptRow& row : rows) {
    there[{row.tenant, row.name}] = parse_u64(row.value).value_or(0);
  }
  for (const auto& [key, newest] : claims.kept) {
    if (there[key] < newest) out.lost.push_back(fmt::format("the kept row {}", key.second));
  }
  return {};
}

void check_records(const Claims& claims, Judgement& out) {
  for (const auto& [task, records] : claims.records) {
    const std::vector<Record>& journal = out.journals[task];
    for (const auto& [seq, hash] : records) {
      if (seq > journal.size()) {
        out.lost.push_back(fmt::format("{} record {}", task, seq));
      } else if (short_hash(journal[seq - 1]) != hash) {
        out.corrupt.push_back(fmt::format("{} record {} is another one", task, seq));
      }
    }
  }
}

// Every request that left has its intent in the journal.
void check_calls(const Claims& claims, Judgement& out) {
  for (const auto& [task, calls] : claims.calls) {
    std::set<std::pair<std::string, uint32_t>> intended;
    for (const Record& record : out.journals[task]) {
      const auto* intent = std::get_if<StepIntended>(&record.body);
      if (intent != nullptr) intended.emplace(intent->step, intent->attempt);
    }
    for (const auto& [step, attempt] : calls) {
      if (intended.contains({step, attempt})) continue;
      out.lost.push_back(fmt::format("{}: the intent of {}, attempt {}", task, step, attempt));
    }
  }
}

Status look(const std::string& dir, const Claims& claims, Judgement& out) {
  // A power loss before the first file: there may be no database yet, and nothing was said.
  const bool nothing_said = claims.tasks.empty() && claims.records.empty();
  if (!nothing_said || std::filesystem::exists(dir + "/perdure.db")) {
    if (Status examined = examine(dir, out); !examined && !nothing_said) return examined;
  }
  SqliteOptions options;
  options.dir = dir;
  options.log_bytes = 64 * 1024;
  TRY_ASSIGN(const auto store, SqliteStore::open(options));
  for (const char* tenant : {"default", "other"}) TRY_STATUS(read_tenant(*store, tenant, out));
  TRY_STATUS(check_tasks(*store, claims, out));
  TRY_STATUS(check_kept(*store, claims, out));
  check_records(claims, out);
  check_calls(claims, out);
  return {};
}

}  // namespace

Judgement judge(const std::string& dir, const Claims& claims) {
  Judgement out;
  if (const Status looked = look(dir, claims, out); !looked) {
    out.corrupt.push_back(looked.error().message);
  }
  return out;
}

}  // namespace perdure::crash
