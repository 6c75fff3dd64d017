#pragma once
#include <functional>
#include <string>

#include "base/error.h"
#include "base/json.h"
#include "ports/clock.h"
#include "ports/http_client.h"

namespace perdure::cli {

// What the program around the commands does for them. All of it is used during a call only.
struct Program {
  HttpClient& http;
  Clock& clock;
  Rng& rng;
  // A TOML file as JSON; errors name the file and the place.
  std::function<Result<json::value>(const std::string& path)> read_toml;
  // The same for an agent file: what it names by a file's name is read too.
  std::function<Result<json::value>(const std::string& path)> read_agent;
  // Whether a server would start with this operator's file, as far as that can be seen from the
  // file and the secrets that it names. The data directory is one that a server has made.
  std::function<Status(const std::string& path, const std::string& data_dir)> check_config;
};

}  // namespace perdure::cli
