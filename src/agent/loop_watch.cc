#include "agent/loop_watch.h"

#include "base/json.h"

namespace perdure {
namespace {

constexpr size_t kCanonicalMaxBytes = 64 * 1024;

// Equal arguments are equal however they are written. Large ones are taken as they stand.
std::string meaning(const std::string& arguments) {
  if (arguments.size() > kCanonicalMaxBytes) return arguments;
  const auto value = parse_json(arguments.empty() ? "{}" : arguments, "arguments");
  return value ? to_canonical_json(*value) : arguments;
}

}  // namespace

void LoopWatch::add(const std::vector<ToolCall>& calls, const std::vector<ToolResult>& results) {
  if (calls.empty()) return;
  Hasher of_calls;
  Round round;
  round.failed = true;
  Hasher of_results;
  for (size_t i = 0; i < calls.size(); ++i) {
    of_calls.add(sha256(calls[i].name).view()).add(sha256(meaning(calls[i].arguments)).view());
    of_results.add(results[i].hash.view());
    round.failed = round.failed && results[i].is_error;
  }
  round.calls = of_calls.finish();
  round.with_results = of_results.add(round.calls.view()).finish();
  rounds_[count_++ % kRounds] = round;
}

std::optional<Loop> LoopWatch::found() const {
  const auto same_calls = [&](size_t a, size_t b) { return last(a).calls == last(b).calls; };
  const auto same = [&](size_t a, size_t b) {
    return last(a).with_results == last(b).with_results;
  };
  if (count_ >= 3 && last(0).failed && last(1).failed && last(2).failed && same_calls(0, 1) &&
      same_calls(1, 2)) {
    return Loop::kSameFailure;
  }
  if (count_ < 4 || !same(0, 2) || !same(1, 3)) return std::nullopt;
  return same(0, 1) ? Loop::kSameResult : Loop::kToAndFro;
}

void LoopWatch::write(LayoutWriter& out) const {
  out.put(uint64_t{count_});
  for (const Round& round : rounds_) {
    out.put(round.calls), out.put(round.with_results), out.put(round.failed);
  }
}

void LoopWatch::read(LayoutReader& in) {
  uint64_t count = 0;
  in.get(count);
  count_ = count;
  for (Round& round : rounds_) {
    in.get(round.calls), in.get(round.with_results), in.get(round.failed);
  }
}

std::string_view in_words(Loop loop) {
  switch (loop) {
    case Loop::kSameResult:
      return "made the same calls four times in a row, with the same results each time";
    case Loop::kSameFailure:
      return "made the same calls three times in a row, and they failed each time";
    case Loop::kToAndFro:
      return "made the same two rounds of calls in turn, with the same results each time";
  }
  return "";
}

}  // namespace perdure
