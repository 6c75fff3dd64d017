#include "script/state.h"

#include <fmt/core.h>

#include "journal/record_json.h"
#include "journal/turn_json.h"

namespace perdure::script {
namespace {

const json::value kNull;

tl::unexpected<Error> corrupt(std::string_view what) {
  return fail(Code::kCorrupt, fmt::format("script state: {}", what));
}

// The value of a result: JSON, else text, as planners in other processes see it.
Result<json::value> value_of(const Payload& payload, const StepId& step) {
  if (!payload.exists()) return json::value();
  if (payload.bytes) {
    json::value seen = payload_to_json(payload);
    for (const char* member : {"json", "text", "hex"}) {
      if (json::value* value = seen.get_object().if_contains(member)) return std::move(*value);
    }
  }
  return fail(Code::kUnavailable,
              fmt::format("step '{}': the script needs its result, whose {} bytes are not at hand",
                          step, payload.size_bytes));
}

// A JSON string; the fast path is the common one.
void append_string(std::string& out, std::string_view text) {
  for (const char c : text) {
    if (c < 0x20 || c > 0x7E || c == '"' || c == '\\') {
      out += to_json(json::value(text));
      return;
    }
  }
  out += '"';
  out += text;
  out += '"';
}

Result<int64_t> read_integer(const json::object& object, std::string_view member, int64_t max) {
  const json::value* value = object.if_contains(member);
  const int64_t* number = value ? value->if_int64() : nullptr;
  if (number == nullptr || *number < 0 || *number > max) return corrupt(member);
  return *number;
}

}  // namespace

Result<State> State::read(const Payload& payload, const Program& program) {
  State state;
  if (!payload.exists()) return state;
  if (!payload.bytes) return corrupt("its bytes are not at hand");
  TRY_ASSIGN(const json::value root, parse_json(payload.view(), "script state", kTurnJsonLimits));
  const json::object* object = root.if_object();
  if (object == nullptr) return corrupt("not an object");
  TRY_ASSIGN(const int64_t at,
             read_integer(*object, "pc", static_cast<int64_t>(program.operations.size()) - 1));
  state.at = static_cast<size_t>(at);
  TRY_ASSIGN(state.iteration, read_integer(*object, "i", kRepeatMax));
  const json::value* known = object->if_contains("known");
  if (known == nullptr || !known->is_object()) return corrupt("known");
  TRY_STATUS(state.read_known(known->get_object()));
  if (const json::value* asked = object->if_contains("asked")) {
    if (!asked->is_object()) return corrupt("asked");
    for (const auto& [seq, step] : asked->get_object()) {
      if (!step.is_string()) return corrupt("asked");
      state.asked_[std::string(seq)] = std::string(step.get_string());
    }
  }
  return state;
}

Status State::read_known(const json::object& known) {
  for (const auto& [step, entry] : known) {
    const json::array* parts = entry.if_array();
    if (parts == nullptr || parts->empty() || parts->size() > 2 || !(*parts)[0].is_string()) {
      return corrupt("known");
    }
    known_[std::string(step)] = {std::string((*parts)[0].get_string()),
                                 parts->size() == 2 ? (*parts)[1] : json::value()};
  }
  return {};
}

Status State::see(const Program& program, const Record& record) {
  if (const auto* settled = std::get_if<StepSettled>(&record.body)) {
    if (settled->outcome != Outcome::kSucceeded && settled->outcome != Outcome::kFailed) return {};
    return settle(program, settled->step, to_string(settled->outcome), &settled->result);
  }
  if (const auto* closed = std::get_if<StepClosed>(&record.body)) return close(program, *closed);
  // What policy denies is never anything else: no other record says so.
  if (const auto* planned = std::get_if<StepPlanned>(&record.body)) {
    if (planned->verdict != Verdict::kDeny) return {};
    return settle(program, planned->step, to_string(EffectState::kDenied), nullptr);
  }
  if (const auto* asked = std::get_if<InterruptRequested>(&record.body)) {
    ask(program, record.seq, *asked);
  } else if (const auto* resolved = std::get_if<InterruptResolved>(&record.body)) {
    return resolve(program, *resolved);
  }
  return {};
}

Status State::settle(const Program& program, const StepId& step, std::string_view outcome,
                     const Payload* result) {
  const Program::Need need = program.need(step, at, iteration);
  if (!need.outcome) return {};
  Known& known = known_[step];
  if (result != nullptr && need.result) {
    TRY_ASSIGN(known.result, value_of(*result, step));
  } else if (known.outcome != outcome) {
    known.result = nullptr;
  }
  known.outcome = outcome;
  return {};
}

Status State::close(const Program& program, const StepClosed& closed) {
  const EffectState state = closed.state;
  if (!is_terminal(state) || state == EffectState::kCompensated) return {};
  TRY_STATUS(settle(program, closed.step, to_string(state), nullptr));
  const auto earlier = known_.find(closed.same_as);
  const auto known = known_.find(closed.step);
  if (earlier != known_.end() && known != known_.end())
    known->second.result = earlier->second.result;
  return {};
}

void State::ask(const Program& program, Seq seq, const InterruptRequested& asked) {
  if (asked.reason != InterruptReason::kToolApproval &&
      asked.reason != InterruptReason::kPossibleDuplicate &&
      asked.reason != InterruptReason::kUncertainOutcome) {
    return;
  }
  if (program.need(asked.step, at, iteration).outcome) asked_[std::to_string(seq)] = asked.step;
}

// A person's decision that ends a step.
Status State::resolve(const Program& program, const InterruptResolved& resolved) {
  const auto node = asked_.extract(std::to_string(resolved.interrupt_seq));
  if (node.empty()) return {};
  switch (resolved.decision) {
    case Decision::kHappened:
    case Decision::kRespond:
      return settle(program, node.mapped(), "succeeded", &resolved.given);
    case Decision::kNotHappened:
      return settle(program, node.mapped(), "failed", nullptr);
    case Decision::kDismiss:
      return settle(program, node.mapped(), "unknown", nullptr);
    case Decision::kReject:
      return settle(program, node.mapped(), "denied", nullptr);
    case Decision::kApprove:
    case Decision::kEdit:
    case Decision::kWithdrawn:
      return {};
  }
  return {};
}

std::string State::write(const Program& program) const {
  std::string out = "{";
  bool first = true;
  for (const auto& [seq, step] : asked_) {
    if (!program.need(step, at, iteration).outcome) continue;
    out += first ? "\"asked\":{" : ",";
    first = false;
    append_string(out, seq);
    out += ':';
    append_string(out, step);
  }
  if (!first) out += "},";
  out += "\"i\":" + std::to_string(iteration) + ",\"known\":{";
  first = true;
  for (const auto& [step, known] : known_) {
    const Program::Need need = program.need(step, at, iteration);
    if (!need.outcome) continue;
    if (!std::exchange(first, false)) out += ',';
    append_string(out, step);
    out += ":[";
    append_string(out, known.outcome);
    if (need.result) out += ',' + to_canonical_json(known.result);
    out += ']';
  }
  out += "},\"pc\":" + std::to_string(at) + '}';
  return out;
}

const std::string* State::outcome(const std::string& step) const {
  const auto found = known_.find(step);
  return found == known_.end() ? nullptr : &found->second.outcome;
}

const json::value& State::result(const std::string& step) const {
  const auto found = known_.find(step);
  return found == known_.end() ? kNull : found->second.result;
}

}  // namespace perdure::script
