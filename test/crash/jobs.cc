#include "crash/jobs.h"

#include <fmt/core.h>

#include <array>
#include <vector>

#include "base/json.h"
#include "powerloss/dice.h"

namespace perdure::crash {
namespace {

using powerloss::Dice;

constexpr std::array<const char*, 5> kTools = {"read", "repeat", "idempotent", "once",
                                               "once_error"};

// {name: value}
json::object only(std::string_view name, json::value value) {
  json::object object;
  object.emplace(name, std::move(value));
  return object;
}

json::object only(std::string_view name, const std::string& text) {
  return only(name, json::value(json::string(text)));
}

class Script {
 public:
  Script(uint64_t seed, bool large) : dice_(seed), large_(large) {}

  std::string make() {
    const uint64_t parts = 2 + dice_.below(3);
    for (uint64_t i = 0; i < parts; ++i) add_part();
    if (large_) add_large();
    add("complete", only("parts", parts));
    return to_json(only("script", std::move(items_)));
  }

 private:
  void add(std::string_view action, json::value what) {
    items_.push_back(only(action, std::move(what)));
  }
  std::string add_call(json::object args) {
    std::string step = fmt::format("s{}", steps_++);
    const char* tool = kTools[dice_.below(kTools.size())];
    add("call", json::object{{"step", step}, {"tool", tool}, {"args", std::move(args)}});
    return step;
  }
  std::string add_call() { return add_call(only("at", steps_)); }
  std::string add_timer() {
    std::string timer = fmt::format("t{}", timers_++);
    add("timer", json::object{{"id", timer}, {"after_ms", dice_.below(20)}});
    return timer;
  }

  void add_part() {
    switch (dice_.below(6)) {
      case 0:
        add("await", only("timer", add_timer()));
        break;
      case 1: {  // whichever comes first: the call may be open when the task goes on, or ends
        json::array any;
        any.push_back(only("timer", add_timer()));
        any.push_back(only("step", add_call()));
        add("await", only("any", std::move(any)));
        break;
      }
      case 2: {  // on the result of an earlier call
        const std::string first = add_call();
        add("await", only("step", first));
        add("await", only("step", add_call(only("result", only("$result", first)))));
        break;
      }
      default: {
        json::array all;
        const uint64_t count = 1 + dice_.below(4);
        for (uint64_t i = 0; i < count; ++i) all.push_back(only("step", add_call()));
        if (dice_.below(3) == 0) add("note", only("calls", count));
        add("await", only("all", std::move(all)));
        break;
      }
    }
  }

  // Input, arguments and a result (the receiver reads "want_bytes") beyond a frame.
  void add_large() {
    const std::string step = add_call(only("want_bytes", kLargeBytes));
    add("await", only("step", step));
    add("await", only("step", add_call(only("result", only("$result", step)))));
    if (dice_.below(2) == 0) {
      add("await", only("step", add_call(only("filler", std::string(kLargeBytes, 'x')))));
    }
  }

  Dice dice_;
  bool large_;
  uint64_t steps_ = 0, timers_ = 0;
  json::array items_;
};

}  // namespace

Job make_job(uint64_t seed, uint64_t index, bool large) {
  const std::string key = fmt::format("{:x}-{}", seed, index);
  return {index % 3 == 2 ? "other" : "default", key,
          Script(seed * 0x100000001b3 + index, large).make()};
}

std::string result_text(const std::string& nonce, size_t size_bytes) {
  std::string text = "\"" + nonce + " ";
  if (text.size() + 1 < size_bytes) text.append(size_bytes - text.size() - 1, 'r');
  return text += '"';
}

}  // namespace perdure::crash
