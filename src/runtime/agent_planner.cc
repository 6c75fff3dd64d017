#include "runtime/agent_planner.h"

#include "agent/loop.h"
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

}  // namespace perdure::runtime
