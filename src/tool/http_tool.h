#pragma once
// A tool that is one HTTP request, as the operator configured it.
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "journal/terms.h"
#include "ports/http_client.h"

namespace perdure {

enum class KeyIn : uint8_t { kHeader, kArgument };

struct HttpToolConfig {
  std::string name;
  std::string description;
  std::string method = "POST";
  // Path and query may hold {argument}; scheme, host and port may not.
  std::string url;
  // Values may hold {{secret:NAME}}.
  std::vector<std::pair<std::string, std::string>> headers;
  KeyIn key_in = KeyIn::kHeader;
  std::string key_name = "Idempotency-Key";  // the header; or a JSON Pointer into the arguments
  std::string input_schema = R"({"type":"object"})";
  Contract contract;
  Verdict approval = Verdict::kAsk;
  std::vector<std::string> identity;  // JSON Pointers; none: all arguments
  std::string check;                  // see ToolRules
  HttpTimeouts timeouts;
  size_t max_output_bytes = 1u << 20;
  bool allow_private = false;
  // What an answer with this status means for this receiver, where it is not what the common table
  // (http_outcome.h) says.
  std::map<int, Outcome> definite;
};

// The first thing that is wrong with `config`, named for the operator.
Status check(const HttpToolConfig& config);

}  // namespace perdure
