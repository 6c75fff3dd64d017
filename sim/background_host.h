#pragma once
// A provider that works on when the connection ends: OpenAI's Responses in the background. It
// accepts a call under an id at once, takes its time, and answers whoever asks for the id, until it
// forgets it.
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "receivers.h"

namespace perdure::sim {

inline constexpr std::string_view kBackgroundUrl = "https://background.sim/v1";

class BackgroundHost {
 public:
  explicit BackgroundHost(World& world) : world_(world) {}

  // What comes back over one connection. A piece that nobody listens to is lost.
  struct Line {
    std::function<void(std::string bytes)> piece;
    // The whole answer is told, and with it what became of the response, if anything did.
    std::function<void(Answer answer, std::string told_of)> end;
  };
  void create(std::string_view body, Line line);
  void fetch(std::string_view url, Line line);

 private:
  void tell_when_ready(const std::string& id, Line line);

  World& world_;
  uint64_t count_ = 0;
};

// "step:<name>;" stands in every prompt for it: whose call it is.
std::string step_in(std::string_view text);

}  // namespace perdure::sim
