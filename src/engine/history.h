#pragma once
// Reading a journal from the store, page by page.
#include <functional>
#include <vector>

#include "journal/frame.h"
#include "ports/store.h"

namespace perdure::engine {

// Calls `visit` with each durable frame that holds records from `from_seq` on, decoded. Ends at the
// first error.
Status read_history(StoreReader& store, const TaskId& id, Seq from_seq,
                    const std::function<Status(const Frame&, std::vector<Record>)>& visit);

// Gives a payload that is a part of an earlier one its bytes. What was erased stays without.
Status fetch_part(StoreReader& store, const TaskId& id, Payload& payload);

}  // namespace perdure::engine
