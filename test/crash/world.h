#pragma once
// What is outside of the child and survives it: the client that submits, the receivers that the
// tools call, and the people who answer for doubts. It hears lines and says lines; of what it saw
// it keeps the account that the child is judged by.
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crash/claims.h"
#include "crash/jobs.h"
#include "powerloss/dice.h"

namespace perdure::crash {

// How a receiver treats a request. The last two do not execute it, and say so.
enum class Treatment : uint8_t { kOk, kExecutedThenCut, kCutBefore, kFailed, kRefused, kDeferred };

struct Receipt {
  uint32_t attempt = 0;
  Treatment treatment = Treatment::kOk;
  std::string nonce;
  size_t size_bytes = 0;
};

// All that a receiver saw of one step.
struct StepSeen {
  std::string tool;
  std::string key;
  uint64_t executed = 0;  // of idempotent ones: net
  std::vector<Receipt> receipts;
};

struct WorldOptions {
  uint64_t seed = 1;
  uint64_t jobs = 6;
  bool large = false;         // one of the jobs works on payloads that stand in blobs
  int64_t delay_us = 10'000;  // of a receiver, at most
};

class World {
 public:
  explicit World(WorldOptions options);

  // A child was started: it is told everything again.
  void begin_life(int64_t now_us);
  void hear(std::string_view line, int64_t now_us);
  // What the child is to be told by now; INT64_MAX: nothing is coming.
  std::vector<std::string> take_due(int64_t now_us);
  int64_t next_due_us() const;

  // Every job was acknowledged, also in this life, and has ended.
  bool all_ended() const;
  bool a_step_is_open() const { return !open_.empty(); }
  const std::vector<Job>& jobs() const { return jobs_; }
  const Claims& claims() const { return claims_; }
  const std::map<std::pair<std::string, std::string>, StepSeen>& steps() const { return steps_; }
  // What was wrong on its face.
  const std::vector<std::string>& problems() const { return problems_; }
  const std::vector<std::string>& repeated() const { return repeated_; }
  const std::vector<std::string>& lost() const { return lost_; }

 private:
  void hear_record(const SaidRecord& record);
  void hear_call(const std::vector<std::string>& words, int64_t now_us);
  void hear_question(const std::vector<std::string>& words, int64_t now_us);
  Treatment treat(StepSeen& step, powerloss::Dice& dice);
  void say(int64_t at_us, std::string line);
  int64_t draw_us(int64_t below_us);

  const WorldOptions options_;
  powerloss::Dice dice_;  // of delays alone
  std::vector<Job> jobs_;
  std::map<std::string, std::string> jobs_of_;  // tasks to their keys
  std::set<std::string> acked_;                 // keys, in this life
  Claims claims_;
  std::map<std::pair<std::string, std::string>, StepSeen> steps_;      // (task, step)
  std::map<std::string, std::pair<std::string, std::string>> owners_;  // of keys
  std::set<std::pair<std::string, std::string>> open_;                 // intents without an outcome
  std::set<std::string> ended_;
  std::multimap<int64_t, std::string> due_;
  std::vector<std::string> problems_, repeated_, lost_;
};

}  // namespace perdure::crash
