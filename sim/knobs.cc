#include "knobs.h"

#include <fmt/core.h>

#include <span>

namespace perdure::sim {
namespace {

// Off in half of the worlds, and elsewhere rare or frequent.
uint32_t fault(Dice& dice, uint32_t frequent) {
  if (dice.chance(500)) return 0;
  return dice.chance(500) ? frequent : frequent / 8 + 1;
}

// Drawn, healed and described in this order.
struct Rate {
  std::string_view name;
  uint32_t Knobs::* rate;
  uint32_t frequent;
  bool is_fault = true;  // heals
};

constexpr Rate kStore[] = {
    {"slow", &Knobs::commit_slow, 60},         {"unknown", &Knobs::commit_unknown, 150},
    {"refused", &Knobs::commit_refused, 40},   {"failed", &Knobs::commit_failed, 30},
    {"reads failed", &Knobs::read_failed, 60}, {"snapshots failed", &Knobs::snapshot_failed, 200}};
constexpr Rate kProcess[] = {{"crash", &Knobs::crash, 25},
                             {"at output", &Knobs::crash_at_output, 40},
                             {"in recovery", &Knobs::crash_in_recovery, 300},
                             {"downtime", &Knobs::long_downtime, 300},
                             {"jumps", &Knobs::wall_jumps, 20}};
constexpr Rate kNetwork[] = {
    {"not sent", &Knobs::not_sent, 200},        {"lost request", &Knobs::lost_request, 150},
    {"lost answer", &Knobs::lost_answer, 250},  {"late request", &Knobs::late_request, 100},
    {"late answer", &Knobs::late_answer, 500},  {"busy", &Knobs::receiver_busy, 250},
    {"refuses", &Knobs::receiver_refuses, 150}, {"breaks", &Knobs::receiver_breaks, 200},
    {"slow", &Knobs::receiver_slow, 100},       {"model", &Knobs::model_trouble, 400}};
constexpr Rate kPlanner[] = {
    {"malformed", &Knobs::planner_malformed, 250}, {"fails", &Knobs::planner_fails, 250},
    {"dead", &Knobs::planner_dead, 150},           {"slow", &Knobs::planner_slow, 300},
    {"repeats", &Knobs::planner_repeats, 400},     {"stale", &Knobs::planner_stale, 300}};
constexpr Rate kPeople[] = {{"limited", &Knobs::limited, 700, false},
                            {"cancel", &Knobs::cancel, 300},
                            {"impatient", &Knobs::impatient, 500},
                            {"contradictory", &Knobs::contradictory, 500},
                            {"early timers", &Knobs::early_timers, 100}};

constexpr std::span<const Rate> kRates[] = {kStore, kProcess, kNetwork, kPlanner, kPeople};

void draw_rates(Knobs& k, Dice& dice, std::span<const Rate> rates) {
  for (const Rate& each : rates) k.*each.rate = fault(dice, each.frequent);
}

std::string text_of(const Knobs& k, std::span<const Rate> rates) {
  std::string text;
  for (const Rate& each : rates) text += fmt::format(" {} {}", each.name, k.*each.rate);
  return text;
}

void draw_engine(engine::Options& engine, Dice& dice) {
  engine.commit_delay_max_us = dice.one_of<int64_t>({0, 1'000, 10'000});
  engine.batch_frames_max = dice.one_of<size_t>({1, 2, 4096});
  engine.mailbox_max = dice.one_of<size_t>({2, 100'000, 100'000});
  engine.recover_page = dice.one_of<size_t>({1, 2, 256});
  engine.live_max = dice.one_of<size_t>({1, 3, 50'000, 50'000});
  engine.snapshot_floor = dice.one_of<uint64_t>({0, 0, 2'000});
  engine.snapshots_max = dice.one_of<size_t>({1, 2});
}

}  // namespace

Knobs Knobs::draw(Dice& dice) {
  Knobs k;
  k.tasks = dice.between(1, 6);
  k.turns_max = dice.between(2, 6);
  k.safety_events = dice.one_of<int64_t>({100, 250, 500});
  k.commit_us_max = dice.one_of<int64_t>({0, 300, 2'000, 50'000});
  draw_rates(k, dice, kStore);
  draw_engine(k.engine, dice);
  draw_rates(k, dice, kProcess);
  k.delay_us_max = dice.one_of<int64_t>({0, 5'000, 200'000, 3'000'000});
  draw_rates(k, dice, kNetwork);
  k.planner_in_process = dice.chance(500);
  draw_rates(k, dice, kPlanner);
  k.guarded = dice.one_of<uint32_t>({0, 300, 900});
  k.scripts = dice.one_of<uint32_t>({0, 150, 500});
  k.agents = dice.one_of<uint32_t>({0, 0, 150, 400});
  draw_rates(k, dice, kPeople);
  k.large_payload = dice.chance(20) ? 20 : 0;
  k.snapshots = dice.chance(850);
  return k;
}

void Knobs::heal() {
  for (const std::span<const Rate> rates : kRates) {
    for (const Rate& each : rates) {
      if (each.is_fault) this->*each.rate = 0;
    }
  }
}

std::string Knobs::describe() const {
  return fmt::format(
      "tasks {} turns {} events {}; commit <= {} us{}; delay max {} us batch {} mailbox {} page {} "
      "live {};{}; net <= {} us{}; planner {}{}; guarded {} scripts {} agents {};{} large payload "
      "{}; snapshots {} floor {}",
      tasks, turns_max, safety_events, commit_us_max, text_of(*this, kStore),
      engine.commit_delay_max_us, engine.batch_frames_max, engine.mailbox_max, engine.recover_page,
      engine.live_max, text_of(*this, kProcess), delay_us_max, text_of(*this, kNetwork),
      planner_in_process ? "inside" : "outside", text_of(*this, kPlanner), guarded, scripts, agents,
      text_of(*this, kPeople), large_payload, snapshots ? "on" : "off", engine.snapshot_floor);
}

}  // namespace perdure::sim
