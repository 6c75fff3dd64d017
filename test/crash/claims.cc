#include "crash/claims.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/text.h"
#include "crash/words.h"
#include "journal/frame.h"

namespace perdure::crash {
namespace {

struct Told {
  std::string step = "-";
  uint32_t attempt = 0;
  std::string outcome = "-";

  void operator()(const StepIntended& r) { step = r.step, attempt = r.attempt; }
  void operator()(const StepSettled& r) {
    step = r.step, attempt = r.attempt, outcome = to_string(r.outcome);
  }
  void operator()(const StepClosed& r) { step = r.step, outcome = to_string(r.state); }
  void operator()(const InterruptRequested& r) {
    step = r.step.empty() ? "-" : r.step, outcome = to_string(r.reason);
  }
  void operator()(const TaskEnded& r) { outcome = to_string(r.status); }
  template <class Other>
  void operator()(const Other&) {}
};

bool put(auto& map, auto key, const std::string& value, std::string& why) {
  const auto [at, fresh] = map.emplace(std::move(key), value);
  if (!fresh && at->second != value) why = fmt::format("before it was {}", at->second);
  return fresh || at->second == value;
}

}  // namespace

std::string short_hash(const Record& record) {
  return to_hex(sha256(encode_record(record)).view()).substr(0, 16);
}

std::string line_of(const TaskId& task, const Record& record) {
  Told told;
  std::visit(told, record.body);
  return fmt::format("record {} {} {} {} {} {} {}", task.to_string(), record.seq,
                     short_hash(record), name_of(record.body), told.step, told.attempt,
                     told.outcome);
}

SaidRecord read_record(const std::vector<std::string>& w) {
  return {w.at(1), parse_u64(w.at(2)).value(), w.at(3), w.at(4), w.at(5), w.at(6), w.at(7)};
}

bool Claims::add(std::string_view line, std::string& why) {
  const auto w = words(line);
  const std::string& kind = w.at(0);
  bool good = true;
  if (kind == "task") {
    good = put(tasks, std::pair(w.at(1), w.at(2)), w.at(3), why);
  } else if (kind == "kept") {
    uint64_t& newest = kept[{w.at(1), w.at(2)}];
    newest = std::max(newest, parse_u64(w.at(3)).value());
  } else if (kind == "record") {
    good = put(records[w.at(1)], parse_u64(w.at(2)).value(), w.at(3), why);
  } else if (kind == "call") {
    const auto attempt = static_cast<uint32_t>(parse_u64(w.at(4)).value());
    good = calls[w.at(2)].emplace(w.at(3), attempt).second;
    if (!good) why = "this attempt was sent before";
  }
  if (!good) why = fmt::format("{}: {}", line, why);
  return good;
}

}  // namespace perdure::crash
