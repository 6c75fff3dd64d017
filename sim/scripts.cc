#include "scripts.h"

#include <fmt/core.h>

#include <vector>

#include "world.h"

namespace perdure::sim {
namespace {

class Writer {
 public:
  Writer(World& world, const std::string& tag) : world_(world), dice_(world.dice()), tag_(tag) {}

  std::string write() {
    add(fmt::format(R"({{"note":"tag:{};"}})", tag_));
    for (int64_t i = dice_.between(1, 6); i > 0; --i) add_item();
    if (dice_.chance(200)) {
      add(R"({"fail":"as written"})");
    } else if (dice_.chance(700)) {
      add(steps_.empty() ? std::string(R"({"complete":"done"})")
                         : fmt::format(R"({{"complete":{{"$result":"{}"}}}})", steps_.back()));
    }
    return fmt::format(R"({{"guarded":{},"script":[{}]}})", dice_.chance(500) ? "true" : "false",
                       items_);
  }

 private:
  void add(const std::string& item) { items_ += (items_.empty() ? "" : ",") + item; }

  std::string call(const std::string& step) {
    if (dice_.chance(150)) {
      return fmt::format(
          R"({{"call":{{"step":"{}","model":"m","args":{{"messages":[{{"role":"user","content":"tag:{};"}}]}}}}}})",
          step, tag_);
    }
    return fmt::format(R"({{"call":{{"step":"{}","tool":"{}","args":{{"order":{}}}}}}})", step,
                       world_.random_tool(), dice_.between(1, 3));
  }

  void add_item() {
    const std::string name = fmt::format("i{}", ++count_);
    switch (dice_.below(6)) {
      case 0:
        add(fmt::format(R"({{"timer":{{"id":"{}","after_ms":{}}}}},{{"await":{{"timer":"{}"}}}})",
                        name, dice_.spread(0, 60'000), name));
        break;
      case 1:
        if (steps_.empty()) break;
        add(fmt::format(R"({{"if":{{"step":"{}","is":"failed"}},"note":"it failed"}})",
                        dice_.pick(steps_)));
        break;
      case 2:
        add(fmt::format(R"({{"repeat":2,"do":[{},{{"await":"{}"}}]}})", call(name), name));
        break;
      case 3: {
        const std::string other = name + "b";
        add(call(name));
        add(call(other));
        add(fmt::format(R"({{"await":{{"{}":["{}","{}"]}}}})", dice_.chance(500) ? "all" : "any",
                        name, other));
        steps_.push_back(name);
        break;
      }
      default:
        add(call(name));
        add(fmt::format(R"({{"await":"{}"}})", name));
        steps_.push_back(name);
        break;
    }
  }

  World& world_;
  Dice& dice_;
  const std::string& tag_;
  std::string items_;
  std::vector<std::string> steps_;
  uint64_t count_ = 0;
};

}  // namespace

std::string random_script(World& world, const std::string& tag) {
  return Writer(world, tag).write();
}

}  // namespace perdure::sim
