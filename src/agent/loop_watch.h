#pragma once
// Notices a model that goes in circles: rounds of calls that repeat each other, with the same
// results.
#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "agent/layout.h"
#include "agent/tool_result.h"
#include "base/hash.h"
#include "journal/message.h"

namespace perdure {

enum class Loop : uint8_t {
  kSameResult,   // the same calls with the same results, four times in a row
  kSameFailure,  // the same calls, and all failed, three times in a row
  kToAndFro,     // two rounds of calls in turn, twice
};

class LoopWatch {
 public:
  // One answer's calls and what they gave.
  void add(const std::vector<ToolCall>& calls, const std::vector<ToolResult>& results);
  void forget() { count_ = 0; }
  std::optional<Loop> found() const;

  void write(LayoutWriter& out) const;
  void read(LayoutReader& in);

 private:
  static constexpr size_t kRounds = 4;
  struct Round {
    Sha256 calls;
    Sha256 with_results;
    bool failed = false;  // all of them
  };
  const Round& last(size_t back) const { return rounds_[(count_ - 1 - back) % kRounds]; }

  std::array<Round, kRounds> rounds_;
  size_t count_ = 0;
};

// In the third person: "made the same calls ...".
std::string_view in_words(Loop loop);

}  // namespace perdure
