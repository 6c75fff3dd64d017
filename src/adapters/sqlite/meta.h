#pragma once
// What a store knows of itself: its secret, how often it was opened, and its newest commit.
#include <cstdint>
#include <string>

#include "adapters/sqlite/database.h"

namespace perdure {

struct StoreMeta {
  uint64_t incarnation = 0;
  std::string secret;
  bool one_secret = false;  // the other copy is damaged: `doctor --repair` writes it again
  bool is_guessed = false;  // the incarnation is
};

// The secret and the incarnation as they stand. With one good copy of the secret it goes on; with
// none it is kCorrupt. An incarnation that is damaged is that of the newest frame.
Result<StoreMeta> read_meta(Database& database);
// Raises the incarnation durably, and reads it.
Result<StoreMeta> begin_incarnation(Database& database);
// Writes the secret and the incarnation where they are missing or damaged.
Status repair_meta(Database& database, const StoreMeta& meta);

// Whether the newest commit that was durable is there: its position and the head of its frame stand
// in a row of their own. A tail that is lost is kCorrupt, unless `head` tells of which task it is:
// that one is then found as damaged when it is read.
Status check_mark(Database& database);
// Makes the newest frame that is there the newest commit.
Status renew_mark(Database& database);

}  // namespace perdure
