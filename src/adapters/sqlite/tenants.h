#pragma once
// The integer keys that stand for tenants in other tables.
#include <string>
#include <unordered_map>

#include "adapters/sqlite/database.h"

namespace perdure {

// Of one connection, on its thread. Keys never change, so what was read once stays true; a key that
// was made in a transaction that is rolled back must not be asked for again.
class Tenants {
 public:
  Status prepare(const Database& database);

  // 0: there is no such tenant.
  Result<int64_t> find(const std::string& name);
  Result<int64_t> find_or_add(const std::string& name);

 private:
  static constexpr size_t kKnownMax = 4096;

  std::unordered_map<std::string, int64_t> known_;
  Statement find_, add_;
};

}  // namespace perdure
