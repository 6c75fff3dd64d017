// Each reason for which a turn is refused as a whole, and what the reason says.
#include "core/turn_check.h"

#include <functional>

#include "fakes/part_of_payload.h"
#include "support.h"

namespace perdure::test {
namespace {

Await nested(size_t levels) {
  Await await = step_is_done("open");
  for (size_t i = 0; i < levels; ++i) await = any_of({await});
  return await;
}

CallAction reserving(const Usage& reserve) {
  CallAction call = tool("a");
  call.reserve = reserve;
  return call;
}

struct Malformed {
  std::string name;
  std::vector<Action> actions;
  Await await;
  std::string says;  // nothing: the turn is well formed
};

CallAction named(const std::string& step, const std::string& name) {
  CallAction call = tool(step);
  call.name = name;
  return call;
}

CallAction acting_inside(EffectClass effect) {
  CallAction call = local("a");
  call.contract.effect = effect;
  return call;
}

CallAction args_within(Seq seq) {
  CallAction call = tool("a");
  call.args = test::part_of_payload(seq, 0, "{}");
  return call;
}

std::vector<Malformed> table() {
  const std::vector<Action> none;
  const std::string long_name(kNameMaxBytes + 1, 'x');
  const std::string longest_name(kNameMaxBytes, 'x');
  return {
      {"too_many_actions", std::vector<Action>(kActionsMax + 1, NoteAction{}), {}, "1001 actions"},
      {"most_actions", std::vector<Action>(kActionsMax, NoteAction{}), {}, ""},
      {"step_without_id", {tool("")}, {}, "action 0: a step id has 1 to 128 bytes"},
      {"step_id_too_long", {NoteAction{}, tool(long_name)}, {}, "action 1: a step id"},
      {"longest_step_id", {tool(longest_name)}, {}, ""},
      {"step_twice", {tool("a"), tool("a")}, {}, "action 1: step 'a' exists"},
      {"open_step_again", {tool("open")}, {}, "step 'open' exists"},
      {"closed_step_again", {tool("closed")}, {}, "step 'closed' exists"},
      {"call_without_name", {named("a", "")}, {}, "action 0: a tool or model name"},
      {"call_name_too_long", {named("a", long_name)}, {}, "action 0"},
      {"idempotent_inside", {acting_inside(EffectClass::kIdempotent)}, {}, "only read and repeat"},
      {"probe_inside", {acting_inside(EffectClass::kProbe)}, {}, "only read and repeat"},
      {"once_inside", {acting_inside(EffectClass::kOnce)}, {}, "only read and repeat"},
      {"repeat_inside", {acting_inside(EffectClass::kRepeat)}, {}, ""},
      {"doubt_inside", {local("a", Outcome::kInDoubt)}, {}, "succeeded or failed"},
      {"not_sent_inside", {local("a", Outcome::kNotSent)}, {}, "succeeded or failed"},
      {"negative_money", {reserving({.cost_micro_usd = -1})}, {}, "reserve"},
      {"negative_calls", {reserving({.tool_calls = -1})}, {}, "reserve"},
      {"negative_tokens", {reserving({.input_tokens = -1})}, {}, "reserve"},
      {"endless_money", {reserving({.cost_micro_usd = INT64_MAX})}, {}, "reserve"},
      {"args_within_nothing", {args_within(0)}, {}, "does not exist"},
      {"args_within_the_future", {args_within(1'000)}, {}, "does not exist"},
      {"args_within_the_past", {args_within(1)}, {}, ""},
      {"timer_without_id", {timer("", 1)}, {}, "a timer id has 1 to 128 bytes"},
      {"timer_id_too_long", {timer(long_name, 1)}, {}, "a timer id"},
      {"timer_of_the_engine", {timer("!retry/a", 1)}, {}, "do not begin with '!'"},
      {"timer_twice", {timer("t", 1), timer("t", 2)}, {}, "timer 't' exists"},
      {"set_timer_again", {timer("set", 1)}, {}, "timer 'set' exists"},
      {"fired_timer_again", {timer("fired", 1)}, {}, "timer 'fired' exists"},
      {"timer_in_the_past", {timer("t", -1)}, {}, "in the future"},
      {"timer_before_time", {TimerAction{"t", 0, -1}}, {}, "in the future"},
      {"action_after_end", {CompleteAction{}, NoteAction{}}, {}, "nothing may follow"},
      {"two_ends", {FailAction{}, CompleteAction{}}, {}, "nothing may follow"},
      {"end_with_call", {tool("a"), CompleteAction{}}, {}, "cannot end in the turn that starts"},
      {"end_with_timer", {timer("t", 1), FailAction{}}, {}, "cannot end in the turn that starts"},
      {"end_with_note", {NoteAction{}, CompleteAction{}}, {}, ""},
      {"end_ignores_await", {CompleteAction{}}, step_is_done("nobody"), ""},
      {"await_unknown_step", none, step_is_done("nobody"), "there is no step 'nobody'"},
      {"await_unknown_timer", none, timer_fired("nobody"), "there is no timer 'nobody'"},
      {"await_engine_timer", none, timer_fired("!retry/open"), "there is no timer"},
      {"await_own_step", {tool("a")}, step_is_done("a"), ""},
      {"await_own_timer", {timer("t", 1)}, timer_fired("t"), ""},
      {"await_closed_step", none, step_is_done("closed"), ""},
      {"await_fired_timer", none, timer_fired("fired"), ""},
      {"await_unknown_deep", none, all_of({step_is_done("open"), any_of({timer_fired("x")})}),
       "there is no timer 'x'"},
      {"await_any_of_nothing", none, any_of({}), "something to wait for"},
      {"await_all_of_nothing", none, all_of({}), "something to wait for"},
      {"await_news_inside", none, any_of({Await{}}), "'news' stands alone"},
      {"await_deepest", none, nested(kAwaitMaxDepth), ""},
      {"await_too_deep", none, nested(kAwaitMaxDepth + 1), "levels"},
      {"await_too_wide", none, any_of(std::vector<Await>(kAwaitMaxNodes, step_is_done("open"))),
       "nodes"},
      {"await_widest", none, any_of(std::vector<Await>(kAwaitMaxNodes - 1, step_is_done("open"))),
       ""},
  };
}

TEST(TurnCheck, NamesWhatIsWrong) {
  for (const Malformed& c : table()) {
    Driver driver;
    driver.answer(
        {tool("open", idempotent(9)), tool("closed"), timer("set", 50), timer("fired", 5)},
        {.await = timer_fired("fired")});
    driver.settle("closed", Outcome::kSucceeded);
    driver.settle("open", Outcome::kInDoubt);
    driver.fire("fired");
    ASSERT_TRUE(driver.plan_is_open());
    const auto reason = core::malformed(driver.state(), driver.turn(c.actions, {.await = c.await}));
    if (c.says.empty()) {
      EXPECT_FALSE(reason) << c.name << ": " << *reason;
    } else {
      ASSERT_TRUE(reason) << c.name;
      EXPECT_NE(reason->find(c.says), std::string::npos) << c.name << " says: " << *reason;
    }
    const auto applied = driver.answer(c.actions, {.await = c.await});
    EXPECT_EQ(applied.reply.has_value(), c.says.empty()) << c.name;
    EXPECT_EQ(driver.count<TurnRejected>(), c.says.empty() ? 0u : 1u) << c.name;
  }
}

// With nothing open, a turn must start something, or end.
TEST(TurnCheck, ATurnThatLeavesNothingToWaitForIsRefused) {
  struct Case {
    std::string name;
    std::vector<Action> actions;
    bool more;
    bool accepted;
  };
  const Case kTable[] = {{"empty", {}, false, false},
                         {"a note", {NoteAction{}}, false, false},
                         {"more", {}, true, true},
                         {"a call", {tool("a")}, false, true},
                         {"a denied call", {tool("a", {}, Verdict::kDeny)}, false, true},
                         {"a timer", {timer("t", 1)}, false, true},
                         {"a call of its own", {local("a")}, false, true},
                         {"an end", {FailAction{}}, false, true}};
  for (const Case& c : kTable) {
    Driver driver;
    const auto applied = driver.answer(c.actions, {.await = {}, .more = c.more});
    EXPECT_EQ(applied.reply.has_value(), c.accepted) << c.name;
    if (!c.accepted) {
      EXPECT_NE(applied.reply.error().message.find("nothing to wait for"), std::string::npos);
    }
  }
}

}  // namespace
}  // namespace perdure::test
