#pragma once
// The tables of a store, their version, and how an older version becomes the newest.
// docs/adr/001 says why the tables have this shape.
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/sqlite/database.h"

namespace perdure {

// The format that this binary writes. It opens older ones, by raising them, and no newer one.
inline constexpr int64_t kStoreFormat = 5;

// What stands for (tenant, route, key) in the table `idempotency`: the first 16 bytes of SHA-256
// over the three, each behind its length (32 bits, little-endian).
std::string idempotency_hash(std::string_view tenant, std::string_view route, std::string_view key);

// The format of a database that is not open anywhere: 0 for an empty or a missing file. A file of
// something else, or of a newer format, is an error. Changes nothing on disk.
Result<int64_t> inspect_format(const std::string& path);

// Creates the tables, or raises their format, in one transaction: one flush of the first start.
Status migrate(Database& database);

// The tables and indexes of a database as SQLite describes them, in order of their names.
Result<std::vector<std::string>> describe_tables(Database& database);
// What they are in a database of this format.
Result<std::vector<std::string>> tables_of_format(int64_t format);

}  // namespace perdure
