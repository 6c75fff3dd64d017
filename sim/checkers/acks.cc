// ack_durable, output_commit, create_idempotent
#include <fmt/core.h>

#include "checker.h"

namespace perdure::sim {
namespace {

// Whether what was acknowledged stands in the durable journal.
class Stands {
 public:
  explicit Stands(const SeenTask& task) : task_(task) {}

  bool operator()(const Submit&) const { return task_.head > 0; }
  bool operator()(const Resolve& c) const {
    const auto decision = task_.decisions.find(c.interrupt_seq);
    return decision != task_.decisions.end() && decision->second.decision == c.decision &&
           decision->second.given.same_as(c.given) && decision->second.add == c.add &&
           decision->second.remember == c.remember;
  }
  bool operator()(const Cancel&) const {
    return task_.cancel_seq != 0 || task_.ending_seq != 0 || task_.ended;
  }
  bool operator()(const Acknowledge&) const { return task_.acknowledged; }
  bool operator()(const AnswerTurn& c) const {
    const auto turn = task_.answers.find(c.turn);
    return turn != task_.answers.end() && turn->second == c.answer_hash;
  }
  template <class Other>
  bool operator()(const Other&) const {
    return true;
  }

 private:
  const SeenTask& task_;
};

class AckDurable : public Checker {
 public:
  using Checker::Checker;
  void on_ack(const Ack& ack) override {
    check(ack);
    acks_.push_back(ack);
  }
  void at_end() override {
    for (const Ack& ack : acks_) check(ack);
  }

 private:
  void check(const Ack& ack) {
    const TaskId& id = ack.result.task;
    const SeenTask* task = evidence_.task(id);
    if (task == nullptr) return bad(id, "the task is acknowledged, and not durable");
    if (task->head < ack.result.head) {
      bad(id, fmt::format("record {} is acknowledged, {} is durable", ack.result.head, task->head));
    }
    if (!std::visit(Stands(*task), ack.command)) {
      bad(id, fmt::format("a command ({}) is acknowledged, and its record is not durable",
                          ack.command.index()));
    }
  }
  void bad(const TaskId& task, const std::string& what) {
    evidence_.verdict.violation("ack_durable", task.to_string() + ": " + what);
  }
  std::vector<Ack> acks_;
};

class CreateIdempotent : public Checker {
 public:
  using Checker::Checker;
  void on_ack(const Ack& ack) override {
    if (!std::holds_alternative<Submit>(ack.command)) return;
    const auto [first, is_new] = by_key_.emplace(ack.key, ack.result.task);
    if (!is_new && first->second != ack.result.task) {
      bad(fmt::format("key '{}' gave {} and then {}", ack.key, first->second.to_string(),
                      ack.result.task.to_string()));
    }
    const SeenTask* task = evidence_.task(ack.result.task);
    if (task != nullptr && tag_of(*task) != ack.tag) {
      bad(fmt::format("key '{}' gave the task of another submission", ack.key));
    }
  }
  void on_record(const SeenTask& before, const Record& record) override {
    const auto* created = std::get_if<TaskCreated>(&record.body);
    if (created == nullptr) return;
    SeenTask task;
    task.created = *created;
    const auto [first, is_new] = by_tag_.emplace(tag_of(task), before.id);
    if (!is_new) {
      bad(fmt::format("submission '{}' made {} and {}", first->first, first->second.to_string(),
                      before.id.to_string()));
    }
  }

 private:
  void bad(std::string what) { evidence_.verdict.violation("create_idempotent", std::move(what)); }
  std::map<std::string, TaskId> by_key_;
  std::map<std::string, TaskId> by_tag_;
};

}  // namespace

void add_ack_checkers(Checkers& to, const Evidence& evidence) {
  to.push_back(std::make_unique<AckDurable>(evidence));
  to.push_back(std::make_unique<CreateIdempotent>(evidence));
}

}  // namespace perdure::sim
