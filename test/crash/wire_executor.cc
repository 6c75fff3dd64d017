#include "crash/wire_executor.h"

#include <fmt/core.h>

#include "base/json.h"
#include "base/text.h"
#include "crash/jobs.h"

namespace perdure::crash {
namespace {

// How long the result shall be, if the arguments say so.
uint64_t wanted_bytes(const Payload& args) {
  const auto value = parse_json(args.view(), "arguments");
  if (!value) return 0;
  const json::value* wanted =
      value->is_object() ? value->get_object().if_contains("want_bytes") : nullptr;
  return wanted != nullptr && wanted->is_int64() ? static_cast<uint64_t>(wanted->get_int64()) : 0;
}

}  // namespace

void WireExecutor::start(CallRequest request, Done done) {
  const Send& send = request.send;
  // A receiver would refuse arguments that are not what was planned.
  const bool intact = send.args.bytes && sha256(send.args.view()) == send.args.hash;
  SettleStep settle;
  settle.step = send.step;
  settle.attempt = send.attempt;
  uint64_t id = 0;
  {
    const std::lock_guard lock(mutex_);
    id = ++last_id_;
    waiting_[id] = {settle, std::move(done)};
  }
  if (!intact) return say_(fmt::format("broken arguments of {}", send.step));
  say_(fmt::format("ack call {} {} {} {} {} {} {}", id, request.task.to_string(), send.step,
                   send.attempt, send.name, request.key, wanted_bytes(send.args)));
}

Status WireExecutor::answer(const std::vector<std::string>& w) {
  const std::string& outcome = w.at(2);
  Waiting waiting;
  {
    const std::lock_guard lock(mutex_);
    const auto found = waiting_.find(parse_u64(w[1]).value_or(0));
    if (found == waiting_.end()) return fail(Code::kInvalid, "nobody asked: " + w[1]);
    waiting = std::move(found->second);
    waiting_.erase(found);
  }
  SettleStep& settle = waiting.settle;
  for (const Outcome known : {Outcome::kSucceeded, Outcome::kFailed, Outcome::kNotSent,
                              Outcome::kDeferred, Outcome::kInDoubt}) {
    if (to_string(known) == outcome) settle.outcome = known;
  }
  settle.failure = settle.outcome == Outcome::kSucceeded ? FailureClass::kNone
                   : settle.outcome == Outcome::kInDoubt ? FailureClass::kAmbiguous
                   : settle.outcome == Outcome::kFailed  ? FailureClass::kInvalid
                                                         : FailureClass::kTransient;
  if (settle.outcome == Outcome::kSucceeded) {
    settle.result = Payload::of(result_text(w.at(3), parse_u64(w.at(4)).value_or(0)));
  }
  waiting.done(std::move(settle));
  return {};
}

}  // namespace perdure::crash
