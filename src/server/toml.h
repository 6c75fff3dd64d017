#pragma once
// A TOML document (https://toml.io/en/v1.0.0) as JSON, so that files and the API share one strict
// reader.
#include <string>

#include "base/error.h"
#include "base/json.h"

namespace perdure::server {

// Errors name the file, line and column.
Result<json::value> read_toml(const std::string& path);

// An agent file: its output_schema may be the name of another file.
Result<json::value> read_agent_toml(const std::string& path);

// `path` as it is meant in a file of `folder`.
std::string beside(const std::string& folder, const std::string& path);

// The same, where it must mean the same to a process that works elsewhere, as in a sandbox.
std::string absolute_beside(const std::string& folder, const std::string& path);

// The whole file, or an error that names it.
Result<std::string> read_file(const std::string& path);

}  // namespace perdure::server
