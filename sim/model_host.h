#pragma once
// A provider of models, as seen from outside: OpenAI's Chat Completions, with every trouble that
// such a service has. It calls tools, repeats itself, makes names up, and ends at last.
#include <optional>
#include <string>
#include <string_view>

#include "receivers.h"

namespace perdure::sim {

class ModelHost {
 public:
  explicit ModelHost(World& world) : world_(world) {}
  // Nothing: it went away without an answer. A negative status: the answer is cut.
  std::optional<Answer> handle(std::string_view body);

 private:
  std::string message(std::string_view body);
  std::optional<Answer> trouble();

  World& world_;
  uint64_t count_ = 0;
};

// "tag:<text>;" stands in every input and every prompt: whose request it is.
std::string tag_in(std::string_view text);
// The key of a tool that takes it as an argument.
std::string key_in_arguments(std::string_view body);

}  // namespace perdure::sim
