#pragma once
// All tasks of a store that no server has open: what their journals say, and whether their rows say
// the same. Rows are put right from journals, and never the other way.
#include <cstdint>
#include <functional>
#include <set>
#include <string>

#include "ports/blobs.h"
#include "ports/closed_store.h"

namespace perdure::engine {

// One line of text each. All of them must be set.
struct AuditTold {
  std::function<void(const std::string&)> problem;
  std::function<void(const std::string&)> note;  // what is known, and what was mended
  std::function<void(uint64_t tasks)> progress;  // after each task
};

// Damaged tasks that a person has ended: their journals stay as they are, and nobody reads them.
Result<std::set<TaskId>> given_up(ClosedStore& store);

// Folds the journals one by one. An error says that the rest could not be looked at. What a row's
// own digest or a frame's own chain tells is found by who looks at them (adapters/sqlite/doctor.h).
Status audit(ClosedStore& store, const std::set<TaskId>& given_up, const AuditTold& told);

// Of each task whose journal is whole: writes the rows that are not what the journal says, or are
// damaged, and forgets that it was damaged, once its payloads are whole too. The others stay as
// they are.
Status mend(ClosedStore& store, Blobs& blobs, const std::set<TaskId>& given_up, int64_t now_ms,
            const AuditTold& told);

}  // namespace perdure::engine
