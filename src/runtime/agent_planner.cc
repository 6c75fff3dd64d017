#include "runtime/agent_planner.h"

#include "agent/loop.h"
#include "base/log.h"
#include "journal/answer_hash.h"

namespace perdure::runtime {

Result<AnswerTurn> AgentPlanner::turn(const PlanRequest& request) {
  TRY_ASSIGN(const auto spec, versions_.spec(request.agent_version));
  TRY_ASSIGN(const auto transcript, transcripts_.at(request.task, request.tenant, *spec,
                                                    request.plan.upto_seq, request.news));
  TRY_ASSIGN(AnswerTurn turn, plan_agent_turn(*spec, *transcript, request.plan.turn,
                                              request.plan.upto_seq, models_));
  turn.answer_hash = hash_answer(turn);
  return turn;
}

void AgentPlanner::plan(PlanRequest request, Done done) {
  spawn_([this, request = std::move(request), done = std::move(done)] { done(turn(request)); });
}

uint64_t AgentPlanner::write_snapshot(const TaskId& task, const std::string& tenant,
                                      const std::string& agent_version, Seq upto_seq) {
  const auto spec = versions_.spec(agent_version);
  if (!spec) return 0;
  const auto written = transcripts_.write_snapshot(task, tenant, **spec, upto_seq);
  if (written) return *written;
  log(LogLevel::kInfo, "snapshot.failed",
      {{"task", task.to_string()}, {"why", written.error().message}});
  return 0;
}

}  // namespace perdure::runtime
