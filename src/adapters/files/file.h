#pragma once
// The few system calls that a blob needs, with errors that name the file.
#include <string>
#include <string_view>

#include "base/error.h"

namespace perdure {

// Creates `path` (0600), and makes its bytes durable, not yet its name.
Status write_durably(const std::string& path, std::string_view bytes);
// The same, but that the bytes may be lost with the power.
Status write_file(const std::string& path, std::string_view bytes);
Result<std::string> read_whole(const std::string& path);
Status make_dir(const std::string& path);  // 0700; no error if it exists
// Makes the names in a directory durable. Code::kUnavailable: it could not be tried, as when the
// process has too many files open; after any other error nothing is known of what was written.
Status sync_names(const std::string& path);
Status rename_file(const std::string& from, const std::string& to);

}  // namespace perdure
