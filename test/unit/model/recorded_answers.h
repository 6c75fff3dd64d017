#pragma once
// What recorded streams of real providers say, known from reading them.
#include <string>
#include <vector>

#include "journal/message.h"
#include "model/model_config.h"

namespace perdure::test {

struct RecordedAnswer {
  ModelConfig::Provider provider;
  std::string name;
  std::string text_begins;
  size_t text_bytes;
  std::vector<ToolCall> calls;
  ModelAnswer::Stop stop;
  int64_t input_tokens, output_tokens;
  bool has_whole = true;  // else there is no file beside it, or it answers another request
};

// Files with more than one answer, or with a recording that was shortened by hand, are left out.
const std::vector<RecordedAnswer>& recorded_answers();

}  // namespace perdure::test
