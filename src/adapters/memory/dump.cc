#include <fmt/format.h>

#include <set>

#include "adapters/memory/rows.h"
#include "base/text.h"

namespace perdure {
namespace {

std::string quoted(std::string_view text) {
  return fmt::format("{}:{}", text.size(), to_hex(text));
}

// Long bytes by their hash: a dump is made often.
std::string body(std::string_view bytes) {
  return bytes.size() <= 64
             ? quoted(bytes)
             : fmt::format("{}:sha256={}", bytes.size(), to_hex(sha256(bytes).view()));
}

std::string line(const Frame& frame) {
  return fmt::format("frame pos={} task={} seq={}+{} epoch={} chain={} body={}\n", frame.pos,
                     frame.task.to_string(), frame.first_seq, frame.count, frame.epoch,
                     to_hex(frame.chain.view()), body(frame.body));
}

std::string line(const TaskRow& row) {
  return fmt::format(
      "task {} tenant={} principal={} {}/{} runnable={} waiting_for={} planner={} agent={} "
      "metadata={} session={} used={},{},{},{},{} created={} updated={} head={} ended={}\n",
      row.id.to_string(), quoted(row.tenant), quoted(row.principal), to_string(row.status),
      to_string(row.phase), row.runnable, quoted(row.waiting_for), quoted(row.planner),
      quoted(row.agent), quoted(row.metadata), quoted(row.session), row.used.cost_micro_usd,
      row.used.model_calls, row.used.tool_calls, row.used.input_tokens, row.used.output_tokens,
      row.created_ms, row.updated_ms, row.head, row.ended_seq);
}

std::string line(const IdempotencyRow& row) {
  return fmt::format("idempotency task={} hash={} created={}\n", row.task.to_string(),
                     to_hex(row.request_hash.view()), row.created_ms);
}

std::string line(const InterruptRow& row) {
  std::string assignees;
  for (const std::string& assignee : row.assignees) assignees += quoted(assignee) + ",";
  return fmt::format("interrupt {} {} tenant={} reason={} created={} assignees={} shown={}\n",
                     row.task.to_string(), row.seq, quoted(row.tenant), to_string(row.reason),
                     row.created_ms, assignees, body(row.shown));
}

}  // namespace

std::string dump(const StoreRows& rows) {
  std::string out = fmt::format("last_pos {}\n", rows.last_pos);
  for (const auto& [task, frames] : rows.frames) {
    for (const Frame& frame : frames) out += line(frame);
  }
  for (const auto& [id, row] : rows.tasks) out += line(row);
  std::multiset<std::string> unordered;
  for (const auto& [key, row] : rows.idempotency) unordered.insert(line(row));
  for (const std::string& text : unordered) out += text;
  for (const auto& [key, due_ms] : rows.timers) {
    out += fmt::format("timer {} {} due={}\n", key.first.to_string(), quoted(key.second), due_ms);
  }
  for (const auto& [id, row] : rows.interrupts) out += line(row);
  for (const auto& [key, value] : rows.kept) {
    const auto& [kind, tenant, name] = key;
    out += fmt::format("kept {} {} {} value={}\n", quoted(kind), quoted(tenant), quoted(name),
                       body(value));
  }
  return out;
}

}  // namespace perdure
