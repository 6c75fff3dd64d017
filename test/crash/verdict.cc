#include "crash/verdict.h"

#include <fmt/core.h>

#include <optional>

#include "crash/journals.h"

namespace perdure::crash {
namespace {

// One step as its journal tells it.
struct Told {
  std::map<uint32_t, const StepSettled*> settled;  // by attempt
  std::optional<Decision> decided;                 // on a doubt
};

struct Story {
  std::map<StepId, Told> steps;
  std::map<Seq, StepId> questions;
  std::map<TimerId, int64_t> timers;  // set and not fired
  uint64_t ends = 0;
  std::vector<std::string> wrong;

  void see(const Record& record) {
    const bool may_follow = std::holds_alternative<TaskAcknowledged>(record.body) ||
                            std::holds_alternative<AnomalyNoted>(record.body);
    if (ends > 0 && !may_follow) {
      wrong.push_back(fmt::format("{} after the end", name_of(record.body)));
    }
    if (const auto* settled = std::get_if<StepSettled>(&record.body)) {
      steps[settled->step].settled[settled->attempt] = settled;
    } else if (const auto* asked = std::get_if<InterruptRequested>(&record.body)) {
      questions[record.seq] = asked->step;
    } else if (const auto* resolved = std::get_if<InterruptResolved>(&record.body)) {
      steps[questions[resolved->interrupt_seq]].decided = resolved->decision;
    } else if (const auto* set = std::get_if<TimerSet>(&record.body)) {
      timers[set->timer] = set->due_ms;
    } else if (const auto* cleared = std::get_if<TimerCleared>(&record.body)) {
      timers.erase(cleared->timer);
    } else if (const auto* fired = std::get_if<TimerFired>(&record.body)) {
      see_fired(*fired, record.at_ms);
    } else if (std::holds_alternative<TaskEnded>(record.body)) {
      ++ends;
    }
  }

  void see_fired(const TimerFired& fired, int64_t at_ms) {
    const auto timer = timers.find(fired.timer);
    if (timer == timers.end()) {
      wrong.push_back(fmt::format("timer {} fired and was not set", fired.timer));
    } else if (at_ms < timer->second) {
      wrong.push_back(fmt::format("timer {} fired early", fired.timer));
    } else {
      timers.erase(timer);
    }
  }
};

bool is_definite(Outcome outcome) {
  return outcome == Outcome::kSucceeded || outcome == Outcome::kFailed;
}

class StepCheck {
 public:
  StepCheck(std::string name, const StepSeen& seen, const Told& told, Verdict& out)
      : name_(std::move(name)), seen_(seen), told_(told), out_(out) {}

  void run() {
    const bool once = seen_.tool.starts_with("once");
    if (once || seen_.tool == "idempotent") check_honest(once);
    if (once) check_never_repeated();
    check_results();
  }

 private:
  template <class... Args>
  void add(std::vector<std::string>& to, fmt::format_string<Args...> text, Args&&... args) {
    to.push_back(name_ + ": " + fmt::format(text, std::forward<Args>(args)...));
  }

  const StepSettled* settled(uint32_t attempt) const {
    const auto found = told_.settled.find(attempt);
    return found == told_.settled.end() ? nullptr : found->second;
  }

  // What is said to have happened did, and the other way round.
  void check_honest(bool once) {
    std::optional<bool> happened;
    for (const auto& [attempt, outcome] : told_.settled) {
      if (is_definite(outcome->outcome)) happened = outcome->outcome == Outcome::kSucceeded;
    }
    if (told_.decided == Decision::kHappened) happened = true;
    if (told_.decided == Decision::kNotHappened) happened = false;
    if (!happened || *happened == (seen_.executed > 0)) return;
    // A definite failure of a repeat says that this one was not executed.
    if (!once && !*happened) return;
    add(out_.wrong, "said to have {}, executed {} times", *happened ? "happened" : "not happened",
        seen_.executed);
  }

  // Sent again only after an answer that it was not executed, and that answer is in the journal.
  void check_never_repeated() {
    if (seen_.executed > 1) add(out_.repeated, "executed {} times", seen_.executed);
    for (size_t i = 0; i + 1 < seen_.receipts.size(); ++i) {
      const Receipt& receipt = seen_.receipts[i];
      const StepSettled* known = settled(receipt.attempt);
      const bool answered =
          receipt.treatment == Treatment::kRefused || receipt.treatment == Treatment::kDeferred;
      const bool recorded = known != nullptr && (known->outcome == Outcome::kNotSent ||
                                                 known->outcome == Outcome::kDeferred);
      if (!answered || !recorded)
        add(out_.repeated, "sent again after attempt {}", receipt.attempt);
    }
  }

  void check_results() {
    for (const Receipt& receipt : seen_.receipts) {
      for (const auto& [attempt, outcome] : told_.settled) {
        if (is_definite(outcome->outcome) && attempt < receipt.attempt) {
          add(out_.repeated, "sent as attempt {} after its outcome", receipt.attempt);
        }
      }
      const StepSettled* known = settled(receipt.attempt);
      if (known == nullptr || known->outcome != Outcome::kSucceeded) continue;
      const std::string given = result_text(receipt.nonce, receipt.size_bytes);
      if (receipt.treatment != Treatment::kOk || known->result.hash != sha256(given)) {
        add(out_.wrong, "attempt {} has a result that nobody gave", receipt.attempt);
      }
    }
  }

  const std::string name_;
  const StepSeen& seen_;
  const Told& told_;
  Verdict& out_;
};

}  // namespace

Verdict verdict_over(const std::string& dir, const World& world) {
  Verdict out;
  const Judgement judged = judge(dir, world.claims());
  out.lost = judged.lost;
  out.wrong = judged.corrupt;
  out.lost.insert(out.lost.end(), world.lost().begin(), world.lost().end());
  out.repeated = world.repeated();
  for (const std::string& problem : world.problems()) out.wrong.push_back(problem);
  if (judged.journals.size() > world.jobs().size()) {
    out.repeated.push_back(
        fmt::format("{} tasks of {} submissions", judged.journals.size(), world.jobs().size()));
  }
  std::map<std::string, Story> stories;
  for (const auto& [task, journal] : judged.journals) {
    Story& story = stories[task];
    for (const Record& record : journal) story.see(record);
    if (story.ends != 1) story.wrong.push_back(fmt::format("{} ends", story.ends));
    for (const std::string& wrong : story.wrong) out.wrong.push_back(task + ": " + wrong);
  }
  for (const auto& [step, seen] : world.steps()) {
    const auto& [task, id] = step;
    StepCheck(task + " " + id, seen, stories[task].steps[id], out).run();
  }
  return out;
}

}  // namespace perdure::crash
