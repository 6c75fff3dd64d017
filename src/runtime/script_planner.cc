#include "runtime/script_planner.h"

#include "journal/answer_hash.h"

namespace perdure::runtime {
namespace {

constexpr size_t kParsedMax = 1000;

}  // namespace

Result<Script> ScriptPlanner::script_of(const Payload& input) {
  const std::lock_guard lock(mutex_);
  if (const auto found = parsed_.find(input.hash); found != parsed_.end()) return found->second;
  TRY_ASSIGN(Script script, Script::parse(input.view()));
  if (parsed_.size() >= kParsedMax) parsed_.clear();
  parsed_.emplace(input.hash, script);
  return script;
}

void ScriptPlanner::plan(PlanRequest request, Done done) {
  auto script = script_of(request.input);
  if (!script) return done(tl::unexpected(script.error()));
  done(perdure::answer(*script, request.plan.turn, request.plan.upto_seq, request.state,
                       request.news, request.after_seq));
}

}  // namespace perdure::runtime
