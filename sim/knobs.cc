#include "knobs.h"

#include <fmt/core.h>

namespace perdure::sim {
namespace {

// Off in half of the worlds, and elsewhere rare or frequent.
uint32_t fault(Dice& dice, uint32_t frequent) {
  if (dice.chance(500)) return 0;
  return dice.chance(500) ? frequent : frequent / 8 + 1;
}

void draw_store(Knobs& k, Dice& dice) {
  k.commit_us_max = dice.one_of<int64_t>({0, 300, 2'000, 50'000});
  k.commit_slow = fault(dice, 60);
  k.commit_unknown = fault(dice, 150);
  k.commit_refused = fault(dice, 40);
  k.commit_failed = fault(dice, 30);
  k.read_failed = fault(dice, 60);
}

void draw_process(Knobs& k, Dice& dice) {
  k.engine.commit_delay_max_us = dice.one_of<int64_t>({0, 1'000, 10'000});
  k.engine.batch_frames_max = dice.one_of<size_t>({1, 2, 4096});
  k.engine.mailbox_max = dice.one_of<size_t>({2, 100'000, 100'000});
  k.engine.recover_page = dice.one_of<size_t>({1, 2, 256});
  k.engine.live_max = dice.one_of<size_t>({1, 3, 50'000, 50'000});
  k.crash = fault(dice, 25);
  k.crash_at_output = fault(dice, 40);
  k.crash_in_recovery = fault(dice, 300);
  k.long_downtime = fault(dice, 300);
  k.wall_jumps = fault(dice, 20);
}

void draw_world(Knobs& k, Dice& dice) {
  k.delay_us_max = dice.one_of<int64_t>({0, 5'000, 200'000, 3'000'000});
  k.not_sent = fault(dice, 200);
  k.lost_request = fault(dice, 150);
  k.lost_answer = fault(dice, 250);
  k.late_request = fault(dice, 100);
  k.late_answer = fault(dice, 500);
  k.receiver_busy = fault(dice, 250);
  k.receiver_refuses = fault(dice, 150);
  k.receiver_breaks = fault(dice, 200);
  k.receiver_slow = fault(dice, 100);
  k.model_trouble = fault(dice, 400);
}

void draw_people(Knobs& k, Dice& dice) {
  k.planner_in_process = dice.chance(500);
  k.planner_malformed = fault(dice, 250);
  k.planner_fails = fault(dice, 250);
  k.planner_dead = fault(dice, 150);
  k.planner_slow = fault(dice, 300);
  k.planner_repeats = fault(dice, 400);
  k.planner_stale = fault(dice, 300);
  k.guarded = dice.one_of<uint32_t>({0, 300, 900});
  k.scripts = dice.one_of<uint32_t>({0, 150, 500});
  k.agents = dice.one_of<uint32_t>({0, 0, 150, 400});
  k.limited = fault(dice, 700);
  k.cancel = fault(dice, 300);
  k.impatient = fault(dice, 500);
  k.contradictory = fault(dice, 500);
  k.early_timers = fault(dice, 100);
  k.large_payload = dice.chance(20) ? 20 : 0;
}

}  // namespace

Knobs Knobs::draw(Dice& dice) {
  Knobs k;
  k.tasks = dice.between(1, 6);
  k.turns_max = dice.between(2, 6);
  k.safety_events = dice.one_of<int64_t>({100, 250, 500});
  draw_store(k, dice);
  draw_process(k, dice);
  draw_world(k, dice);
  draw_people(k, dice);
  return k;
}

void Knobs::heal() {
  for (uint32_t* rate : {&commit_slow,       &commit_unknown,  &commit_refused,  &commit_failed,
                         &read_failed,       &crash,           &crash_at_output, &crash_in_recovery,
                         &long_downtime,     &wall_jumps,      &not_sent,        &lost_request,
                         &lost_answer,       &late_request,    &late_answer,     &receiver_busy,
                         &receiver_refuses,  &receiver_breaks, &receiver_slow,   &model_trouble,
                         &planner_malformed, &planner_fails,   &planner_dead,    &planner_slow,
                         &planner_repeats,   &planner_stale,   &cancel,          &impatient,
                         &contradictory,     &early_timers}) {
    *rate = 0;
  }
}

std::string Knobs::describe() const {
  return fmt::format(
      "tasks {} turns {} events {}; commit <= {} us, slow {} unknown {} refused {} failed {} reads "
      "failed {}; delay max {} us batch {} mailbox {} page {} live {}; crash {} at output {} in "
      "recovery {} downtime {} jumps {}; net <= {} us, not sent {} lost {} {} late {} {}; receiver "
      "busy {} refuses {} breaks {} slow {} model {}; planner {} malformed {} fails {} dead {} "
      "slow "
      "{} repeats {} stale {} guarded {} scripts {} agents {}; limited {} cancel {} impatient {} "
      "contradictory {} early timers {}",
      tasks, turns_max, safety_events, commit_us_max, commit_slow, commit_unknown, commit_refused,
      commit_failed, read_failed, engine.commit_delay_max_us, engine.batch_frames_max,
      engine.mailbox_max, engine.recover_page, engine.live_max, crash, crash_at_output,
      crash_in_recovery, long_downtime, wall_jumps, delay_us_max, not_sent, lost_request,
      lost_answer, late_request, late_answer, receiver_busy, receiver_refuses, receiver_breaks,
      receiver_slow, model_trouble, planner_in_process ? "inside" : "outside", planner_malformed,
      planner_fails, planner_dead, planner_slow, planner_repeats, planner_stale, guarded, scripts,
      agents, limited, cancel, impatient, contradictory, early_timers);
}

}  // namespace perdure::sim
