#pragma once
// Who waits for a place, in turn: one of each tenant, round and round, and of one tenant in the
// order in which they came. Who asks for much waits behind himself.
#include <deque>
#include <map>
#include <string>
#include <utility>

namespace perdure {

// Not thread-safe.
template <class Item>
class Turns {
 public:
  bool empty() const { return waiting_.empty(); }

  void add(const std::string& tenant, Item item) { waiting_[tenant].push_back(std::move(item)); }

  // Whose turn it is. Not when it is empty.
  const Item& next() const { return turn()->second.front(); }

  Item take() {
    const auto found = turn();
    Item item = std::move(found->second.front());
    last_ = found->first;
    drop_first(found);
    return item;
  }

  // What `is_it` is true of waits no more; false if nothing is.
  template <class Is>
  bool remove(Is is_it) {
    for (auto tenant = waiting_.begin(); tenant != waiting_.end(); ++tenant) {
      auto& items = tenant->second;
      for (auto item = items.begin(); item != items.end(); ++item) {
        if (!is_it(*item)) continue;
        items.erase(item);
        if (items.empty()) waiting_.erase(tenant);
        return true;
      }
    }
    return false;
  }

 private:
  using Waiting = std::map<std::string, std::deque<Item>>;

  // Of the tenant behind the one that was served last.
  typename Waiting::const_iterator turn() const {
    const auto found = waiting_.upper_bound(last_);
    return found == waiting_.end() ? waiting_.begin() : found;
  }
  typename Waiting::iterator turn() {
    const auto found = waiting_.upper_bound(last_);
    return found == waiting_.end() ? waiting_.begin() : found;
  }
  void drop_first(typename Waiting::iterator tenant) {
    tenant->second.pop_front();
    if (tenant->second.empty()) waiting_.erase(tenant);
  }

  Waiting waiting_;  // no tenant without an item
  std::string last_;
};

}  // namespace perdure
