#include "engine/quarantine.h"

#include <algorithm>
#include <iterator>

namespace perdure::engine {
namespace {

constexpr size_t kPageRows = 1000;

}  // namespace

Status Quarantine::load(StoreReader& store) {
  std::optional<KeptRow> last;
  for (;;) {
    TRY_ASSIGN(std::vector<KeptRow> rows, store.kept(kDamageKind, last, kPageRows));
    for (const KeptRow& row : rows) {
      if (auto damage = damage_of(row)) add(std::move(*damage));
    }
    if (rows.size() < kPageRows) return {};
    last = std::move(rows.back());
  }
}

bool Quarantine::add(Damage damage) {
  const std::lock_guard lock(mutex_);
  const TaskId task = damage.task;
  const bool is_new = damaged_.emplace(task, std::move(damage)).second;
  size_ = damaged_.size();
  return is_new;
}

void Quarantine::end(Damage damage) {
  const std::lock_guard lock(mutex_);
  const TaskId task = damage.task;
  damaged_.insert_or_assign(task, std::move(damage));
}

void Quarantine::lift(const TaskId& task) {
  const std::lock_guard lock(mutex_);
  damaged_.erase(task);
  size_ = damaged_.size();
}

std::optional<Damage> Quarantine::find(const TaskId& task) const {
  if (size_ == 0) return std::nullopt;
  const std::lock_guard lock(mutex_);
  const auto found = damaged_.find(task);
  if (found == damaged_.end()) return std::nullopt;
  return found->second;
}

std::vector<Damage> Quarantine::list(const std::string& tenant, const std::optional<TaskId>& before,
                                     size_t limit) const {
  const std::lock_guard lock(mutex_);
  std::vector<Damage> out;
  const auto end = before ? damaged_.lower_bound(*before) : damaged_.end();
  for (auto one = std::make_reverse_iterator(end); one != damaged_.rend() && out.size() < limit;
       ++one) {
    if (one->second.tenant == tenant && !one->second.is_ended()) out.push_back(one->second);
  }
  return out;
}

size_t Quarantine::standing() const {
  return all_standing().size();
}

std::vector<Damage> Quarantine::all_standing() const {
  const std::lock_guard lock(mutex_);
  std::vector<Damage> out;
  for (const auto& [task, damage] : damaged_) {
    if (!damage.is_ended()) out.push_back(damage);
  }
  return out;
}

}  // namespace perdure::engine
