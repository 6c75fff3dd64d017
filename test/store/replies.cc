#include "store/replies.h"

#include <fmt/core.h>

#include "adapters/memory/rows.h"
#include "base/text.h"

namespace perdure::store_test {
namespace {

std::string item(const TaskRow& row) {
  StoreRows rows;
  rows.tasks[row.id] = row;
  return dump(rows);
}
std::string item(const Frame& frame) {
  StoreRows rows;
  rows.frames[frame.task].push_back(frame);
  return dump(rows);
}
std::string item(const IdempotencyRow& row) {
  StoreRows rows;
  rows.idempotency[{}] = row;
  return dump(rows) + row.tenant + row.route + row.key;
}
std::string item(const InterruptRow& row) {
  StoreRows rows;
  rows.interrupts[{row.task, row.seq}] = row;
  return dump(rows);
}
std::string item(const TimerRow& row) {
  return fmt::format("{} {} {}\n", row.task.to_string(), row.timer, row.due_ms);
}
std::string item(const TaskId& id) {
  return id.to_string() + "\n";
}

std::string item(const KeptRow& row) {
  return fmt::format("{} {} {} {}\n", row.kind, row.tenant, row.name, row.value);
}

template <class T>
std::string list(const Result<std::vector<T>>& answer) {
  if (!answer) return answer.error().message;
  std::string out = fmt::format("{}:\n", answer->size());
  for (const T& each : *answer) out += item(each);
  return out;
}

template <class T>
std::string maybe(const Result<std::optional<T>>& answer) {
  if (!answer) return answer.error().message;
  return *answer ? item(**answer) : "nothing";
}

}  // namespace

std::string text(const CommitResult& result) {
  std::string out = fmt::format("commit {} {}\n", static_cast<int>(result.kind), result.message);
  for (const TaskId& task : result.refused) out += item(task);
  return out;
}
std::string text(const Result<bool>& answer) {
  return answer ? (*answer ? "yes" : "no") : answer.error().message;
}
std::string text(const Result<std::optional<TaskRow>>& answer) {
  return maybe(answer);
}
std::string text(const Result<std::vector<TaskRow>>& answer) {
  return list(answer);
}
std::string text(const Result<TaskRows>& answer) {
  if (!answer) return answer.error().message;
  std::string out = answer->task ? item(*answer->task) : "nothing";
  for (const TimerRow& row : answer->timers) out += item(row);
  for (const InterruptRow& row : answer->interrupts) out += item(row);
  return out;
}
std::string text(const Result<std::vector<Frame>>& answer) {
  return list(answer);
}
std::string text(const Result<std::optional<IdempotencyRow>>& answer) {
  return maybe(answer);
}
std::string text(const Result<std::vector<InterruptRow>>& answer) {
  return list(answer);
}
std::string text(const Result<std::vector<TimerRow>>& answer) {
  return list(answer);
}
std::string text(const Result<std::vector<TaskId>>& answer) {
  return list(answer);
}
std::string text(const Result<std::vector<KeptRow>>& answer) {
  return list(answer);
}

std::string text(const Result<StoreCounts>& answer) {
  if (!answer) return answer.error().message;
  std::string out = fmt::format("timers {}, due {}\n", answer->timers, answer->timers_due);
  for (const auto& [status, count] : answer->tasks) {
    out += fmt::format("{} {}\n", to_string(status), count);
  }
  for (const auto& [reason, count] : answer->interrupts) {
    out += fmt::format("{} {}\n", to_string(reason), count);
  }
  return out;
}

}  // namespace perdure::store_test
