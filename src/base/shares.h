#pragma once
// What several tenants take from, so that nobody who wants some finds nothing left.
#include <cstddef>
#include <map>
#include <mutex>
#include <string>

namespace perdure {

// A tenant may take while it has less than three times what nobody has: alone it gets three
// quarters, two get three sevenths each, and there is always something for who comes next. (A
// threshold that moves with what is left, as switches share their memory: Choudhury and Hahne,
// 1998.) Thread-safe.
class Shares {
 public:
  // Whether somebody who has `has` may take one more of `total`, of which `used` are taken.
  static constexpr bool allows(size_t has, size_t used, size_t total) {
    return used < total && has < kTimesWhatIsLeft * (total - used);
  }

  explicit Shares(size_t total) : total_(total) {}

  bool has_room(const std::string& tenant) const {
    const std::lock_guard lock(mutex_);
    return room_for(tenant);
  }
  // False: it may not, and has not.
  bool take(const std::string& tenant) {
    const std::lock_guard lock(mutex_);
    if (!room_for(tenant)) return false;
    ++of_[tenant];
    ++used_;
    return true;
  }
  // Of what is taken anyway, be there room or not.
  void add(const std::string& tenant) {
    const std::lock_guard lock(mutex_);
    ++of_[tenant];
    ++used_;
  }
  void give_back(const std::string& tenant) {
    const std::lock_guard lock(mutex_);
    const auto found = of_.find(tenant);
    if (found == of_.end()) return;
    --used_;
    if (--found->second == 0) of_.erase(found);
  }
  size_t used() const {
    const std::lock_guard lock(mutex_);
    return used_;
  }
  size_t total() const { return total_; }

 private:
  bool room_for(const std::string& tenant) const {
    const auto found = of_.find(tenant);
    return allows(found == of_.end() ? 0 : found->second, used_, total_);
  }

  static constexpr size_t kTimesWhatIsLeft = 3;
  const size_t total_;
  mutable std::mutex mutex_;
  std::map<std::string, size_t> of_;  // no tenant that has none
  size_t used_ = 0;
};

}  // namespace perdure
