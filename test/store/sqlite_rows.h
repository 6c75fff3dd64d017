#pragma once
// The rows of an SQLite store, read past the adapter.
#include <string>

#include "adapters/memory/rows.h"

namespace perdure::store_test {

// `database` may be open in a store of this process.
StoreRows read_rows(const std::string& database);

}  // namespace perdure::store_test
