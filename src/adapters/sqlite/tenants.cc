#include "adapters/sqlite/tenants.h"

namespace perdure {

Status Tenants::prepare(const Database& database) {
  TRY_ASSIGN(find_, Statement::prepare(database, "SELECT key FROM tenant WHERE name = ?"));
  TRY_ASSIGN(add_, Statement::prepare(database, "INSERT INTO tenant(name) VALUES(?)"));
  return {};
}

Result<int64_t> Tenants::find(const std::string& name) {
  if (const auto known = known_.find(name); known != known_.end()) return known->second;
  int64_t key = 0;
  {
    const Run run(find_);
    find_.bind(name);
    TRY_ASSIGN(const bool found, find_.step());
    if (!found) return 0;
    key = Columns(find_).integer();
  }
  if (known_.size() >= kKnownMax) known_.clear();
  known_[name] = key;
  return key;
}

Result<int64_t> Tenants::find_or_add(const std::string& name) {
  TRY_ASSIGN(const int64_t known, find(name));
  if (known != 0) return known;
  add_.bind(name);
  TRY_STATUS(add_.run());
  return find(name);
}

}  // namespace perdure
