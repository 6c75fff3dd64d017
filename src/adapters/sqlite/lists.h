#pragma once
// What lists are answered from beside the rows themselves: which tasks carry a label, and which
// questions name whom. Both tables say nothing that the rows do not: like an index they can be made
// again, and what they lead to is checked.
#include <functional>
#include <string>
#include <vector>

#include "adapters/sqlite/database.h"

namespace perdure {

// Assignees as the column of a question holds them.
std::string packed(const std::vector<std::string>& assignees);
// False: the bytes are no such list.
bool unpack(const std::string& bytes, std::vector<std::string>& assignees);

// Under which names a question is found: its assignees, or the empty name where its row is of
// before rows said whom they name.
std::vector<std::string> stands_under(const std::vector<std::string>& assignees, bool is_older);

// From format 4 to 5.
Status add_lists(Database& database);

// Calls `problem` once a table that is not what the rows say.
Status check_lists(Database& database, const std::function<void(std::string)>& problem);
// Makes both from the rows, if they are not what those say. Tells what was made again.
Status mend_lists(Database& database, const std::function<void(const std::string&)>& note);

}  // namespace perdure
