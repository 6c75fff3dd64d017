#pragma once
// The step of a store's format that gave each row its digest, each open task its head, and the
// secret its second copy.
#include "adapters/sqlite/database.h"

namespace perdure {

// Within a transaction of the caller. What stands in the rows is taken as it is: what was damaged
// before cannot be told any more. Grows with the store, and tells its progress in the log.
Status add_protection(Database& database);

}  // namespace perdure
