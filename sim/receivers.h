#pragma once
// The services behind the tools. Each applies a request, refuses it, breaks, or is slow; those that
// know keys remember them for as long as their contract says, and no longer.
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "oracle.h"
#include "ports/http_client.h"

namespace perdure::sim {

class World;

struct Answer {
  int status = 200;
  std::vector<std::pair<std::string, std::string>> headers;
  std::string body;
};

class Receivers {
 public:
  explicit Receivers(World& world) : world_(world) {}

  // A request has arrived. Nothing: the receiver went away without an answer.
  std::optional<Answer> handle(const Sent& sent);

 private:
  struct Known {
    int64_t first_us = 0;
    bool done = false;
    int refused = 0;  // the status it refused with
  };

  std::optional<Answer> gateway();
  std::optional<Answer> dedup(const Sent& sent, Known& known);
  std::optional<Answer> trouble(const Sent& sent);
  Answer refuse(const Sent& sent, int status);
  void apply(const Sent& sent, bool late);
  bool knows_keys(const Sent& sent) const { return sent.effect == EffectClass::kIdempotent; }

  World& world_;
  std::map<std::string, Known> keys_;
  uint64_t count_ = 0;
};

}  // namespace perdure::sim
