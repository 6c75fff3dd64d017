#pragma once
// Who waits for a place, in turn: one of each tenant, round and round, and of one tenant in the
// order in which they came. Who asks for much waits behind himself.
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <utility>

namespace perdure {

// Not thread-safe.
template <class Item>
class Turns {
 public:
  bool empty() const { return waiting_.empty(); }
  size_t size() const { return size_; }
  size_t tenants() const { return waiting_.size(); }
  size_t size_of(const std::string& tenant) const {
    const auto found = waiting_.find(tenant);
    return found == waiting_.end() ? 0 : found->second.size();
  }

  void add(const std::string& tenant, Item item) {
    waiting_[tenant].push_back(std::move(item));
    ++size_;
  }

  // Whose turn it is. Not when it is empty.
  const Item& next() { return turn()->second.front(); }

  Item take() { return take_first(turn()); }

  // The first in turn whose tenant `may` be served; nothing if none may.
  template <class May>
  std::optional<Item> take_if(May may) {
    auto tenant = turn();
    for (size_t seen = 0; seen < waiting_.size(); ++seen, ++tenant) {
      if (tenant == waiting_.end()) tenant = waiting_.begin();
      if (may(tenant->first)) return take_first(tenant);
    }
    return std::nullopt;
  }

  // What `is_it` is true of, which waits no more; nothing if nothing is.
  template <class Is>
  std::optional<Item> remove(Is is_it) {
    for (auto tenant = waiting_.begin(); tenant != waiting_.end(); ++tenant) {
      auto& items = tenant->second;
      for (auto item = items.begin(); item != items.end(); ++item) {
        if (!is_it(*item)) continue;
        std::optional<Item> removed = std::move(*item);
        items.erase(item);
        --size_;
        if (items.empty()) waiting_.erase(tenant);
        return removed;
      }
    }
    return std::nullopt;
  }

 private:
  using Waiting = std::map<std::string, std::deque<Item>>;

  // Of the tenant behind the one that was served last.
  typename Waiting::iterator turn() {
    const auto found = waiting_.upper_bound(last_);
    return found == waiting_.end() ? waiting_.begin() : found;
  }
  Item take_first(typename Waiting::iterator tenant) {
    Item item = std::move(tenant->second.front());
    last_ = tenant->first;
    tenant->second.pop_front();
    --size_;
    if (tenant->second.empty()) waiting_.erase(tenant);
    return item;
  }

  Waiting waiting_;  // no tenant without an item
  size_t size_ = 0;
  std::string last_;
};

}  // namespace perdure
