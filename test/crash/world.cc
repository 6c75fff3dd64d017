#include "crash/world.h"

#include <fmt/core.h>

#include "base/text.h"
#include "crash/words.h"

namespace perdure::crash {
namespace {

using powerloss::Dice;

uint64_t seed_of(uint64_t seed, const std::string& key, uint32_t attempt) {
  return seed ^ std::hash<std::string>()(fmt::format("{}/{}", key, attempt));
}

const char* name_of(Treatment treatment) {
  switch (treatment) {
    case Treatment::kOk:
      return "succeeded";
    case Treatment::kExecutedThenCut:
    case Treatment::kCutBefore:
      return "in_doubt";
    case Treatment::kFailed:
      return "failed";
    case Treatment::kRefused:
      return "not_sent";
    case Treatment::kDeferred:
      return "deferred";
  }
  return "";
}

}  // namespace

World::World(WorldOptions options) : options_(options), dice_(options.seed) {
  for (uint64_t i = 0; i < options.jobs; ++i) {
    jobs_.push_back(make_job(options.seed, i, options.large && i == 0));
  }
}

void World::begin_life(int64_t now_us) {
  due_.clear();
  acked_.clear();
  for (const Job& job : jobs_) {
    // What was acknowledged is asked about again at once; the rest comes over a while.
    const bool acked = claims_.tasks.contains({job.tenant, job.key});
    say(now_us + (acked ? 0 : draw_us(4 * options_.delay_us)),
        fmt::format("submit {} {} {}", job.tenant, job.key, job.script));
  }
}

int64_t World::draw_us(int64_t below_us) {
  return below_us == 0 ? 0 : static_cast<int64_t>(dice_.below(static_cast<uint64_t>(below_us)));
}

void World::say(int64_t at_us, std::string line) {
  due_.emplace(at_us, std::move(line));
}

std::vector<std::string> World::take_due(int64_t now_us) {
  std::vector<std::string> lines;
  while (!due_.empty() && due_.begin()->first <= now_us) {
    lines.push_back(std::move(due_.begin()->second));
    due_.erase(due_.begin());
  }
  return lines;
}

bool World::all_ended() const {
  for (const Job& job : jobs_) {
    const auto task = claims_.tasks.find({job.tenant, job.key});
    const bool known = task != claims_.tasks.end() && acked_.contains(job.key);
    if (!known || !ended_.contains(task->second)) return false;
  }
  return true;
}

int64_t World::next_due_us() const {
  return due_.empty() ? INT64_MAX : due_.begin()->first;
}

void World::hear(std::string_view line, int64_t now_us) {
  const auto w = words(line);
  if (w.at(0) == "ask") return hear_question(w, now_us);
  if (w[0] == "ended") {
    ended_.insert(w.at(1));
    return;
  }
  if (w[0] != "ack") return problems_.push_back("unexpected: " + std::string(line));
  std::string why;
  const std::string_view said = line.substr(4);
  if (!claims_.add(said, why)) {
    (said.starts_with("task")   ? lost_
     : said.starts_with("call") ? repeated_
                                : problems_)
        .push_back(why);
  }
  const std::vector<std::string> claim(w.begin() + 1, w.end());
  if (claim.at(0) == "task") jobs_of_[claim.at(3)] = claim.at(2), acked_.insert(claim.at(2));
  if (claim[0] == "record") hear_record(read_record(claim));
  if (claim[0] == "call") hear_call(claim, now_us);
}

void World::hear_record(const SaidRecord& record) {
  const auto step = std::pair(record.task, record.step);
  if (record.name == "step_intended") open_.insert(step);
  if (record.name == "step_settled" || record.name == "step_closed") open_.erase(step);
  if (record.name == "task_ended") ended_.insert(record.task);
}

// What it does depends on the request alone, so that a trial can be told again.
Treatment World::treat(StepSeen& step, Dice& dice) {
  const bool repeated = step.executed > 0 && step.tool == "idempotent";
  const uint64_t drawn = dice.below(100);
  Treatment treatment = drawn < 72   ? Treatment::kOk
                        : drawn < 80 ? Treatment::kExecutedThenCut
                        : drawn < 86 ? Treatment::kCutBefore
                        : drawn < 91 ? Treatment::kFailed
                        : drawn < 95 ? Treatment::kRefused
                                     : Treatment::kDeferred;
  if (repeated && treatment == Treatment::kFailed) treatment = Treatment::kOk;
  const bool executes = treatment == Treatment::kOk || treatment == Treatment::kExecutedThenCut;
  if (executes && !repeated) ++step.executed;
  return treatment;
}

void World::hear_call(const std::vector<std::string>& w, int64_t now_us) {
  const std::string &id = w.at(1), &task = w.at(2), &name = w.at(3), &tool = w.at(5),
                    &key = w.at(6);
  Receipt receipt;
  receipt.attempt = static_cast<uint32_t>(parse_u64(w.at(4)).value());
  const auto owner = owners_.emplace(key, std::pair(task, name)).first->second;
  if (owner != std::pair(task, name)) {
    problems_.push_back(
        fmt::format("{} {}: its key is also that of {} {}", task, name, owner.first, owner.second));
  }
  StepSeen& step = steps_[{task, name}];
  if (!step.key.empty() && step.key != key) {
    problems_.push_back(fmt::format("{} {}: sent again with another key", task, name));
  }
  step.tool = tool;
  step.key = key;
  const auto job = jobs_of_.find(task);
  const std::string& whose = job != jobs_of_.end() ? job->second : key;
  Dice dice(seed_of(options_.seed, whose + name, receipt.attempt));
  receipt.treatment = treat(step, dice);
  receipt.nonce = fmt::format("{}.{}", name, dice.below(1'000'000));
  receipt.size_bytes = parse_u64(w.at(7)).value();
  say(now_us + draw_us(options_.delay_us),
      fmt::format("answer {} {} {} {}", id, name_of(receipt.treatment), receipt.nonce,
                  receipt.size_bytes));
  step.receipts.push_back(std::move(receipt));
}

// A person who looks: the receiver's own account says whether it happened.
void World::hear_question(const std::vector<std::string>& w, int64_t now_us) {
  const std::string &task = w.at(1), &seq = w.at(2), &reason = w.at(3), &step = w.at(4);
  if (reason != "uncertain_outcome") {
    problems_.push_back(fmt::format("{}: asks about {}", task, reason));
  }
  const auto seen = steps_.find({task, step});
  const bool happened = seen != steps_.end() && seen->second.executed > 0;
  say(now_us, fmt::format("decide {} {} {}", task, seq, happened ? "happened" : "not_happened"));
}

}  // namespace perdure::crash
