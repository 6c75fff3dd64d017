#include "core/asking.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/hooks.h"
#include "core/decision.h"

namespace perdure::core {
namespace {

using hooks::Bug;
using hooks::planted;

TimerId ask_timer(Seq interrupt_seq) {
  return fmt::format("{}{}", kAskTimerPrefix, interrupt_seq);
}

// 0: a timer that nobody set.
Seq interrupt_of(const TimerId& timer) {
  Seq seq = 0;
  for (const char c : timer.substr(std::min(timer.size(), kAskTimerPrefix.size()))) {
    if (c < '0' || c > '9') return 0;
    seq = seq * 10 + static_cast<Seq>(c - '0');
  }
  return seq;
}

OnExpire fitting(const Asking& asking, InterruptReason reason, const Step* step, bool of_tool) {
  const OnExpire wanted = asking.on_expire;
  if (wanted == OnExpire::kFail) return wanted;
  const bool approves = wanted == OnExpire::kApprove;
  const bool responds = wanted == OnExpire::kRespond && !asking.respond_with.empty();
  const bool acts_once = step != nullptr && !may_be_resent(step->contract.effect);
  switch (reason) {
    case InterruptReason::kUncertainOutcome:
      return OnExpire::kDismiss;
    case InterruptReason::kToolApproval:
      if (approves && (of_tool || !acts_once)) return wanted;
      return responds && step != nullptr && step->kind == CallKind::kTool ? wanted
                                                                          : OnExpire::kReject;
    case InterruptReason::kQuestion:  // what fits one question is nonsense for the next
      return responds && of_tool ? wanted : OnExpire::kReject;
    case InterruptReason::kPossibleDuplicate:
    case InterruptReason::kBudgetReached:
    case InterruptReason::kAuthRequired:  // silence mends no key
      return OnExpire::kReject;
    default:
      return approves ? wanted : OnExpire::kReject;
  }
}

// The next moment at which something is due, as a time since the question; 0: none.
int64_t next_due(const Interrupt& interrupt) {
  const Asking& asking = interrupt.asking;
  int64_t next = asking.expires_ms;
  const auto consider = [&](int64_t due_ms) {
    if (due_ms > 0 && (next == 0 || due_ms < next)) next = due_ms;
  };
  if (!interrupt.escalated) consider(asking.escalate_ms);
  if (interrupt.reminders < asking.remind_ms.size()) {
    consider(asking.remind_ms[interrupt.reminders]);
  }
  return next;
}

bool is_due(const Interrupt& interrupt, int64_t after_ms, int64_t now_ms) {
  return after_ms > 0 && now_ms >= capped_sum(interrupt.requested_ms, after_ms);
}

// What is said about this tool, or about all tools of its server: "shop.*". The general word does
// not count as the tool's own.
struct Said {
  const Asking* asking = nullptr;
  bool of_tool = false;
};

Said said_about(const PeopleRules& people, const Step* step) {
  if (step == nullptr) return {&people.common, false};
  if (const auto own = people.of_tool.find(step->name); own != people.of_tool.end()) {
    return {&own->second, true};
  }
  const size_t dot = step->name.find('.');
  if (dot == std::string::npos) return {&people.common, false};
  const auto all = people.of_tool.find(step->name.substr(0, dot) + ".*");
  return {all == people.of_tool.end() ? &people.common : &all->second, false};
}

}  // namespace

Asking asking_for(const Draft& draft, InterruptReason reason, const StepId& step) {
  const auto found = draft.state().open.find(step);
  const Step* about = found == draft.state().open.end() ? nullptr : &found->second;
  const Said said = said_about(draft.people(), about);
  Asking asking = *said.asking;
  asking.on_expire = fitting(asking, reason, about, said.of_tool);
  if (asking.expires_ms == 0) asking.on_expire = OnExpire::kReject;
  if (asking.on_expire != OnExpire::kRespond) asking.respond_with.clear();
  return asking;
}

void set_ask_timer(Draft& draft, Seq interrupt_seq) {
  const Interrupt& interrupt = draft.state().interrupts.at(interrupt_seq);
  const int64_t next_ms = next_due(interrupt);
  if (next_ms == 0) return;
  draft.append(TimerSet{ask_timer(interrupt_seq), TimerPurpose::kAsk,
                        capped_sum(interrupt.requested_ms, next_ms)});
}

void clear_ask_timer(Draft& draft, Seq interrupt_seq) {
  const TimerId timer = ask_timer(interrupt_seq);
  if (planted(Bug::kExpiryAfterDecision)) return;
  if (draft.state().timers.contains(timer)) draft.append(TimerCleared{timer, TimerPurpose::kAsk});
}

void look_after(Draft& draft, const TimerId& timer) {
  const Seq seq = interrupt_of(timer);
  const auto found = draft.state().interrupts.find(seq);
  if (found == draft.state().interrupts.end()) {
    if (planted(Bug::kExpiryAfterDecision)) expire_anyway(draft, seq);
    return;
  }
  const Interrupt& interrupt = found->second;
  const int64_t now_ms = draft.now_ms();
  if (is_expired(interrupt, now_ms)) {
    if (!planted(Bug::kDecisionAfterExpiry)) expire(draft, seq);
    return;
  }
  // Those that were missed while no process lived are told once.
  const std::vector<int64_t>& remind = interrupt.asking.remind_ms;
  const auto past = std::find_if(remind.begin(), remind.end(), [&](int64_t after_ms) {
    return !is_due(interrupt, after_ms, now_ms);
  });
  const auto reminders = static_cast<uint32_t>(past - remind.begin());
  if (reminders > interrupt.reminders) draft.append(InterruptReminded{seq, reminders});
  if (!interrupt.escalated && is_due(interrupt, interrupt.asking.escalate_ms, now_ms)) {
    draft.append(InterruptEscalated{seq, interrupt.asking.escalate_to});
  }
  set_ask_timer(draft, seq);
}

bool is_expired(const Interrupt& interrupt, int64_t now_ms) {
  return is_due(interrupt, interrupt.asking.expires_ms, now_ms);
}

}  // namespace perdure::core
