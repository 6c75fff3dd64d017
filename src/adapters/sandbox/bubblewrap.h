#pragma once
// What a sandbox sees, as arguments of bwrap(1), https://github.com/containers/bubblewrap.
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "ports/process.h"

namespace perdure {

// "<bwrap> ... -- <command>". Looks at the listed paths: symbolic links in them are followed, and
// the sandbox sees the folder in its real place, with a link to it where the listed path differs.
// `status_fd`: where bwrap says how the command ended, if it was begun.
Result<std::vector<std::string>> bubblewrap_arguments(const std::string& bwrap,
                                                      const ProcessSpec& spec, int status_fd);

// The same checks of the listed paths, for a child that is not kept from anything.
Status check_paths(const ProcessSpec& spec);

// `path` is `folder`, or below it; both absolute and without symbolic links.
bool is_within(std::string_view path, std::string_view folder);

}  // namespace perdure
