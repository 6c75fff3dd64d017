#pragma once
// Undoes changes of the bytes and of the size of one file.
#include <vector>

#include "base/error.h"
#include "dice.h"
#include "history.h"
#include "rollback.h"

namespace powerloss {

// `changes` are the file's, oldest first, none of them synced; `fd` is open for reading and
// writing.
perdure::Status undo_data(int fd, const std::vector<Change>& changes, Loss loss, Dice& dice,
                          RollbackReport& report);

}  // namespace powerloss
