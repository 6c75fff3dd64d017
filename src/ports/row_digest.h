#pragma once
// What a store keeps beside each row that no chain covers, and compares when it reads the row: the
// first 8 bytes of SHA-256 over the name of the table and the row's fields, each field behind its
// length. It shows accidents, not tampering. Docs: docs/journal.md, "Rows".
#include <cstdint>
#include <string_view>

#include "ports/snapshots.h"
#include "ports/store.h"

namespace perdure {

int64_t digest_of(const TaskRow& row);
int64_t digest_of(const TimerRow& row);
int64_t digest_of(const InterruptRow& row);
int64_t digest_of(const KeptRow& row);
int64_t digest_of(const TaskSnapshot& snapshot);
// `hash` stands for (tenant, route, key): a store may keep no more of them.
int64_t digest_of(const IdempotencyRow& row, std::string_view hash);
int64_t digest_of_secret(std::string_view secret);
int64_t digest_of_incarnation(uint64_t incarnation);

// Of a frame's chain: what a store keeps as the head of a task.
int64_t short_chain(const Sha256& chain);

}  // namespace perdure
