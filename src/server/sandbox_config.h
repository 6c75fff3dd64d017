#pragma once
// [sandbox]: what the commands of all shells together may use of the machine.
#include "base/error.h"
#include "base/json.h"
#include "tool/shell_executor.h"

namespace perdure::server {

// By the cores and the memory of this machine, or of the container.
ShellRoom default_shell_room();

// `room` is what holds where nothing is said.
Status read_sandbox(ShellRoom& room, const json::value& table);

}  // namespace perdure::server
