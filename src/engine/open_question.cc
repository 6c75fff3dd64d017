#include "engine/open_question.h"

#include <fmt/core.h>

#include <memory>
#include <tuple>

#include "journal/binary.h"

namespace perdure::engine {
namespace {

// Of the layout below: the first byte of what a row says.
constexpr char kLayout = 1;
// Larger payloads are read from the journal by who shows them.
constexpr uint64_t kInRowMaxBytes = 1024;

// `record`: whose payload it is, if that is known. A large one is then a part of that.
void put(const Payload& payload, Seq record, Payload& out, std::string& bytes) {
  out = payload;
  const bool is_inline = payload.place == Payload::Place::kInline;
  if (payload.bytes && (payload.size_bytes <= kInRowMaxBytes || (is_inline && record == 0))) {
    out.place = Payload::Place::kInline;
    bytes = *payload.bytes;
  } else if (is_inline) {
    out.place = Payload::Place::kWithin;
    out.within_seq = record;
    out.offset_bytes = 0;
  }
}

void give_bytes(Payload& payload, std::string& bytes) {
  if (payload.place != Payload::Place::kInline) return;
  payload.bytes = std::make_shared<const std::string>(std::move(bytes));
}

AskedStep asked_step(const core::Step& step) {
  AskedStep out;
  out.kind = step.kind;
  out.name = step.name;
  out.executed_by = step.executed_by;
  out.effect = step.contract.effect;
  // What a person put in place stands in the record of the decision, which the state does not name.
  put(step.args, step.edited ? 0 : step.planned_seq, out.args, out.args_bytes);
  out.attempts = step.attempt;
  out.group = step.group;
  out.sent = step.sent;
  return out;
}

}  // namespace

OpenQuestion question_of(const core::TaskState& state, Seq interrupt_seq) {
  const core::Interrupt& asked = state.interrupts.at(interrupt_seq);
  OpenQuestion out;
  out.agent = state.agent;
  out.agent_version = state.agent_version;
  out.reason = asked.reason;
  out.step_id = asked.step;
  const auto step = state.open.find(asked.step);
  if (step != state.open.end()) out.step = asked_step(step->second);
  out.message = asked.message;
  out.needed = asked.needed;
  put(asked.question, interrupt_seq, out.question, out.question_bytes);
  out.asking = asked.asking;
  out.reminders = asked.reminders;
  out.limits_cost = state.limits.cost_micro_usd != kUnlimited;
  out.limits_model_calls = state.limits.model_calls != kUnlimited;
  out.limits_tool_calls = state.limits.tool_calls != kUnlimited;
  return out;
}

InterruptRow row_of(const core::TaskState& state, Seq interrupt_seq) {
  const core::Interrupt& asked = state.interrupts.at(interrupt_seq);
  InterruptRow row;
  row.task = state.id;
  row.seq = interrupt_seq;
  row.tenant = state.tenant;
  row.reason = asked.reason;
  row.created_ms = asked.requested_ms;
  row.assignees = asked.asking.assignees;
  row.shown = kLayout;
  BinaryWriter(row.shown).put(question_of(state, interrupt_seq));
  return row;
}

Result<std::optional<OpenQuestion>> question_in(const InterruptRow& row) {
  if (row.shown.empty()) return std::nullopt;
  const auto unreadable = [&] {
    return fail(Code::kCorrupt, fmt::format("the row of the question at record {} is not what was "
                                            "written",
                                            row.seq));
  };
  if (row.shown.front() != kLayout) return unreadable();
  OpenQuestion out;
  BinaryReader in(std::string_view(row.shown).substr(1));
  in.get(out);
  if (!in.ok() || !in.at_end()) return unreadable();
  give_bytes(out.question, out.question_bytes);
  if (out.step) give_bytes(out.step->args, out.step->args_bytes);
  return out;
}

bool says_the_same(const InterruptRow& row, const core::TaskState& state) {
  const auto open = state.interrupts.find(row.seq);
  if (row.damaged || open == state.interrupts.end() || row.tenant != state.tenant ||
      open->second.reason != row.reason || open->second.requested_ms != row.created_ms) {
    return false;
  }
  const auto read = question_in(row);
  if (!read) return false;
  if (!*read) return true;  // an older row
  const OpenQuestion& said = **read;
  const OpenQuestion meant = question_of(state, row.seq);
  const auto what = [](const OpenQuestion& q) {
    return std::tie(q.agent, q.agent_version, q.reason, q.step_id, q.message, q.needed,
                    q.question.hash, q.asking);
  };
  if (what(said) != what(meant) || said.step.has_value() != meant.step.has_value()) return false;
  if (row.assignees != meant.asking.assignees) return false;
  const auto call = [](const AskedStep& step) {
    return std::tie(step.kind, step.name, step.executed_by, step.effect, step.args.hash,
                    step.group);
  };
  return !said.step || call(*said.step) == call(*meant.step);
}

}  // namespace perdure::engine
