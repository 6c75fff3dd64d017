#pragma once
// Everything around an agent, by chance: models that answer anything, tools that fail or vanish,
// people, crashes. It plans with the real loop whenever the last turn's await holds, and writes the
// journal that a core could write.
#include <map>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "agent/loop.h"
#include "journal_builder.h"

namespace perdure::test {

// A turn as it was planned while the world ran.
struct PlannedTurn {
  Seq upto_seq = 0;
  std::string shown;
  bool calls_model = false;
  bool anew = false;  // a person has mended what kept the models from answering
  std::string model;
  std::string request;  // what the model is sent, if it is called
};

class RandomWorld {
 public:
  explicit RandomWorld(uint64_t seed) : random_(seed) {}

  // Until the task ends. Failures are reported to GoogleTest.
  void run();

  const std::vector<Record>& records() const { return journal_.records(); }
  const std::vector<PlannedTurn>& turns() const { return turns_; }
  // How often the loop was asked too early, and said so.
  size_t plans_refused() const { return plans_refused_; }
  const std::set<std::string>& seen() const { return seen_; }

 private:
  enum class At {
    kReady,
    kAwaitsApproval,
    kAwaitsDuplicate,
    kIntent,
    kInDoubt,
    kNeedsHuman,
    kEnded
  };
  struct Step {
    CallKind kind = CallKind::kTool;
    At at = At::kReady;
    uint32_t attempts = 0;
    Seq question = 0;
  };

  size_t below(size_t bound) {
    return std::uniform_int_distribution<size_t>(0, bound - 1)(random_);
  }
  bool chance(size_t percent) { return below(100) < percent; }

  Seq add(RecordBody body);
  bool await_holds() const;
  void plan();
  void begin(const CallAction& call);
  void advance(const StepId& id, Step& step);
  void from_intent(const StepId& id, Step& step);
  void from_doubt(const StepId& id, Step& step);
  void decide_approval(const StepId& id, Step& step);
  void decide_duplicate(const StepId& id, Step& step);
  void decide_doubt(const StepId& id, Step& step);
  void settle(const StepId& id, Step& step, Outcome outcome);
  void close(const StepId& id, Step& step, EffectState state, StepId same_as = {});
  void ask(const StepId& id, Step& step, InterruptReason reason, At at);
  void resolve(Step& step, Decision decision, std::string message, Payload result = {});
  void noise();
  ModelAnswer random_answer();
  std::string some_words() { return "words " + std::to_string(below(1000)); }

  std::mt19937_64 random_;
  JournalBuilder journal_;
  Transcript transcript_;
  bool mended_ = false;  // and nothing was planned since
  AgentSpec spec_ = strict_agent();
  std::map<StepId, Step> steps_;
  std::vector<StepId> tools_;  // in the order of planning
  std::set<StepId> awaited_;
  uint64_t turn_ = 0;
  bool ended_ = false;
  std::vector<PlannedTurn> turns_;
  size_t plans_refused_ = 0;
  std::set<std::string> seen_;  // what happened, so that a test can ask for coverage
};

}  // namespace perdure::test
