#include "runtime/script_planner.h"

#include "journal/answer_hash.h"

namespace perdure::runtime {
namespace {

constexpr size_t kParsedMax = 1000;

}  // namespace

// A task that was read from the store comes without the bytes that stand in blobs.
Status ScriptPlanner::fetch(const std::string& tenant, Payload& payload) {
  if (payload.place != Payload::Place::kBlob || payload.bytes) return {};
  TRY_ASSIGN(std::string bytes, blobs_.get(tenant, payload.hash));
  payload.bytes = std::make_shared<const std::string>(std::move(bytes));
  return {};
}

Result<Script> ScriptPlanner::script_of(const std::string& tenant, Payload& input) {
  const std::lock_guard lock(mutex_);
  if (const auto found = parsed_.find(input.hash); found != parsed_.end()) return found->second;
  TRY_STATUS(fetch(tenant, input));
  TRY_ASSIGN(Script script, Script::parse(input.view()));
  if (parsed_.size() >= kParsedMax) parsed_.clear();
  parsed_.emplace(input.hash, script);
  return script;
}

Result<AnswerTurn> ScriptPlanner::turn(PlanRequest& request) {
  TRY_ASSIGN(const Script script, script_of(request.tenant, request.input));
  TRY_STATUS(fetch(request.tenant, request.state));
  for (Record& record : request.news) {
    const bool has_result = std::holds_alternative<StepSettled>(record.body) ||
                            std::holds_alternative<InterruptResolved>(record.body);
    if (record.seq <= request.after_seq || !has_result) continue;
    TRY_STATUS(fetch(request.tenant, *payload_of(record.body)));
  }
  return answer(script, request.plan.turn, request.plan.upto_seq, request.state, request.news,
                request.after_seq);
}

void ScriptPlanner::plan(PlanRequest request, Done done) {
  done(turn(request));
}

}  // namespace perdure::runtime
