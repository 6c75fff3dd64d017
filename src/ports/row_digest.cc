#include "ports/row_digest.h"

#include <string>
#include <type_traits>

namespace perdure {
namespace {

int64_t first_8_bytes(const Sha256& hash) {
  uint64_t first = 0;
  for (int i = 0; i < 8; ++i) first = first << 8 | hash.bytes[static_cast<size_t>(i)];
  return static_cast<int64_t>(first);
}

void add(std::string& out, std::string_view text) {
  const auto size = static_cast<uint32_t>(text.size());
  for (int shift = 0; shift < 32; shift += 8) out += static_cast<char>(size >> shift);
  out += text;
}

template <class Number>
  requires std::is_integral_v<Number> || std::is_enum_v<Number>
void add(std::string& out, Number number) {
  const auto wide = static_cast<uint64_t>(number);
  for (int shift = 0; shift < 64; shift += 8) out += static_cast<char>(wide >> shift);
}

template <class... Fields>
int64_t digest(std::string_view table, const Fields&... fields) {
  thread_local std::string bytes;
  bytes.clear();
  add(bytes, table);
  (add(bytes, fields), ...);
  return first_8_bytes(sha256(bytes));
}

}  // namespace

int64_t digest_of(const TaskRow& row) {
  return digest("task", row.id.view(), std::string_view(row.tenant),
                std::string_view(row.principal), row.status, row.phase, row.runnable,
                std::string_view(row.waiting_for), std::string_view(row.planner),
                std::string_view(row.agent), std::string_view(row.metadata),
                std::string_view(row.session), row.used.cost_micro_usd, row.used.model_calls,
                row.used.tool_calls, row.used.input_tokens, row.used.output_tokens, row.created_ms,
                row.updated_ms, row.head, row.ended_seq);
}

int64_t digest_of(const TimerRow& row) {
  return digest("timer", row.task.view(), std::string_view(row.timer), row.due_ms);
}

int64_t digest_of(const InterruptRow& row) {
  if (row.shown.empty() && row.assignees.empty()) {  // a row of before there was that
    return digest("interrupt", row.task.view(), row.seq, std::string_view(row.tenant), row.reason,
                  row.created_ms);
  }
  std::string assignees;
  for (const std::string& assignee : row.assignees) add(assignees, std::string_view(assignee));
  return digest("interrupt", row.task.view(), row.seq, std::string_view(row.tenant), row.reason,
                row.created_ms, std::string_view(assignees), std::string_view(row.shown));
}

int64_t digest_of(const KeptRow& row) {
  return digest("kept", std::string_view(row.kind), std::string_view(row.tenant),
                std::string_view(row.name), std::string_view(row.value));
}

int64_t digest_of(const IdempotencyRow& row, std::string_view hash) {
  return digest("idempotency", hash, row.task.view(), row.request_hash.view(), row.created_ms);
}

// As the others, but for the copy of what may be large.
int64_t digest_of(const TaskSnapshot& snapshot) {
  std::string head;
  add(head, std::string_view("snapshot"));
  add(head, snapshot.task.view());
  add(head, snapshot.kind);
  add(head, snapshot.seq);
  add(head, snapshot.chain.view());
  add(head, snapshot.format);
  add(head, snapshot.body.size());
  return first_8_bytes(Hasher().add(head).add(snapshot.body).finish());
}

int64_t digest_of_secret(std::string_view secret) {
  return digest("secret", secret);
}

int64_t digest_of_incarnation(uint64_t incarnation) {
  return digest("incarnation", incarnation);
}

int64_t short_chain(const Sha256& chain) {
  return first_8_bytes(chain);
}

}  // namespace perdure
