#pragma once
// What one check may take. References can make a small schema exponential, so every step is
// counted.
#include <cstdint>
#include <string>
#include <string_view>

namespace perdure::schema {

class Work {
 public:
  explicit Work(uint64_t steps) : left_(steps) {}

  // False once there is no more: then every answer is void, and the check ends.
  bool spend(uint64_t steps) {
    if (exhausted_) return false;
    if (steps > left_) return give_up("it takes too many steps");
    left_ -= steps;
    return true;
  }
  bool give_up(std::string_view why) {
    if (!exhausted_) why_ = why;
    exhausted_ = true;
    return false;
  }
  bool exhausted() const { return exhausted_; }
  const std::string& why() const { return why_; }

 private:
  uint64_t left_;
  bool exhausted_ = false;
  std::string why_;
};

}  // namespace perdure::schema
