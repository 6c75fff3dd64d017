#pragma once
// Whether every row of every table is what was written: its digest, the head of its task's journal,
// the store's own mark and secret.
#include <functional>
#include <optional>
#include <string>

#include "adapters/sqlite/database.h"

namespace perdure {

// Told of each row that is not; `task`: whose it is, if that can be said.
using RowProblem = std::function<void(const std::optional<TaskId>& task, std::string what)>;

// Of a store of this binary's format. An error says what could not be looked at.
Status check_row_digests(Database& database, const RowProblem& problem);
Status check_heads(Database& database, const RowProblem& problem);
Status check_store_meta(Database& database, const RowProblem& problem);

}  // namespace perdure
