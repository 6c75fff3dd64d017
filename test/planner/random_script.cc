#include <bit>
#include <cmath>

#include "base/json.h"
#include "world.h"

namespace perdure {
namespace {

class ScriptMaker {
 public:
  explicit ScriptMaker(std::mt19937_64& random) : random_(random) {}

  json::object make() {
    // The first call gives the others something to ask about.
    json::array items{json::object{{"call", call()}}};
    const uint64_t count = 1 + below(12);
    for (uint64_t i = 0; i < count; ++i) {
      items.push_back(below(5) == 0 ? repeat() : item());
    }
    json::object out{{"script", std::move(items)}};
    if (below(3) == 0) out["guarded"] = below(2) == 0;
    return out;
  }

 private:
  json::value repeat() {
    const uint64_t times = 1 + below(4);
    json::object out{{"repeat", times}};
    if (below(3) == 0) out["if"] = condition(0);
    const size_t outside = steps_.size();
    const size_t timers_outside = timers_.size();
    json::array body;
    const uint64_t count = 1 + below(5);
    for (uint64_t i = 0; i < count; ++i) body.push_back(item());
    out["do"] = std::move(body);
    leave(steps_, outside, times);
    leave(timers_, timers_outside, times);
    return out;
  }

  // Behind the repeat, its names have their suffix.
  void leave(std::vector<std::string>& names, size_t from, uint64_t times) {
    for (size_t i = from; i < names.size(); ++i) names[i] += '/' + std::to_string(below(times));
  }

  json::object item() {
    json::object out;
    if (below(3) == 0) out["if"] = condition(0);
    switch (below(12)) {
      case 0:
      case 1:
      case 2:
      case 3:
        out["call"] = call();
        break;
      case 4:
        timers_.push_back("t" + std::to_string(names_++));
        out["timer"] = {{"id", timers_.back()}, {below(2) ? "after_ms" : "at_ms", 1 + below(9999)}};
        break;
      case 5:
      case 6:
        out["note"] = value(0);
        break;
      case 7:
      case 8:
      case 9:
        out["await"] = await(0);
        break;
      case 10:
        if (below(3) == 0) {
          out["fail"] = "because";
          break;
        }
        [[fallthrough]];
      default:
        if (below(3) == 0) {
          out["complete"] = value(0);
        } else {
          out["await"] = "news";
        }
    }
    return out;
  }

  json::object call() {
    steps_.push_back((below(9) == 0 ? "é\"" : "s") + std::to_string(names_++));
    json::object out{{"step", steps_.back()}, {below(2) ? "tool" : "model", "x"}};
    if (below(2) == 0) out["args"] = value(0);
    if (below(4) != 0) return out;
    out["executor"] = "planner";
    if (below(2) == 0) out["outcome"] = below(2) == 0 ? "succeeded" : "failed";
    if (below(2) == 0) out["result"] = value(0);
    return out;
  }

  json::value value(int depth) {
    switch (below(depth > 2 ? 7 : 9)) {
      case 0:
        return nullptr;
      case 1:
        return below(2) == 0;
      case 2:
        return random_();
      case 3: {
        const double number = std::bit_cast<double>(random_());
        return std::isfinite(number) ? json::value(number) : json::value(0.1);
      }
      case 4:
        return "téxt \" \\ \n";
      case 5:
      case 6:
        return {{"$result", any(steps_)}};
      case 7: {
        json::array out;
        for (uint64_t i = below(4); i > 0; --i) out.push_back(value(depth + 1));
        return out;
      }
      default: {
        json::object out;
        for (uint64_t i = below(4); i > 0; --i)
          out["k" + std::to_string(below(9))] = value(depth + 1);
        return out;
      }
    }
  }

  json::value condition(int depth) {
    const uint64_t kind = below(depth > 2 ? 6 : 9);
    if (kind == 6) return {{"not", condition(depth + 1)}};
    if (kind > 6) {
      json::array parts;
      for (uint64_t i = 1 + below(3); i > 0; --i) parts.push_back(condition(depth + 1));
      return {{kind == 7 ? "any" : "all", std::move(parts)}};
    }
    static const char* const kOutcomes[] = {"succeeded", "succeeded", "failed", "denied",
                                            "unknown"};
    json::object out{{"step", any(steps_)}, {"is", kOutcomes[below(5)]}};
    if (below(2) == 0) return out;
    static const char* const kPointers[] = {"",   "/ok",  "/1/a/0", "/x~1y~0z",
                                            "/0", "/a/0", "/-",     "/00"};
    out["at"] = kPointers[below(8)];
    out["equals"] = below(2) == 0 ? json::value(1) : json::value(true);
    return out;
  }

  json::value await(int depth) {
    const uint64_t kind = below(depth > 2 ? 4 : 6);
    if (kind == 0 && !timers_.empty()) return {{"timer", any(timers_)}};
    if (kind <= 1) return {{"step", any(steps_)}};
    if (kind <= 2) return json::value(any(steps_));
    if (kind <= 3) return "news";
    json::array parts;
    for (uint64_t i = 1 + below(3); i > 0; --i) parts.push_back(await(depth + 1));
    return {{kind == 4 ? "any" : "all", std::move(parts)}};
  }

  const std::string& any(const std::vector<std::string>& names) {
    return names[below(names.size())];
  }
  uint64_t below(uint64_t bound) { return random_() % bound; }

  std::mt19937_64& random_;
  std::vector<std::string> steps_;
  std::vector<std::string> timers_;
  int names_ = 0;
};

}  // namespace

std::string random_script(std::mt19937_64& random) {
  return to_json(ScriptMaker(random).make());
}

}  // namespace perdure
