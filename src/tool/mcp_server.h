#pragma once
// A server of tools that speaks the Model Context Protocol, as the operator configured it.
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "ports/http_client.h"
#include "ports/process.h"
#include "ports/tool_catalog.h"

namespace perdure {

// Sends of a call, if the operator says nothing else.
inline constexpr uint32_t kMcpMaxAttempts = 5;

// The contract of the tools whose name fits.
struct McpContract {
  std::string pattern;  // '*' stands for anything
  ToolRules rules;
  bool ask_is_said = false;  // the operator said whether a person approves
};

struct McpServerConfig {
  std::string name;
  // One of the two.
  std::vector<std::string> command;
  std::string url;

  // Of a command. Values may hold {{secret:NAME}}.
  std::vector<std::pair<std::string, std::string>> environment;
  std::string workdir = "/tmp";
  bool network = false;
  std::vector<std::string> writable;
  std::vector<std::string> readable;
  bool unsafe_same_user = false;

  // Of a URL. Values may hold {{secret:NAME}}.
  HttpHeaders headers;
  bool allow_private = false;

  std::vector<McpContract> contracts;
  bool trust_annotations = false;
  int64_t start_ms = 30'000;     // until the server has said what it offers
  int64_t call_ms = 300'000;     // until a call is answered, or reports progress
  int64_t total_ms = 3'600'000;  // until it is answered, whatever it reports
  size_t max_output_bytes = 1u << 20;
};

// The first thing that is wrong with `config`, named for the operator.
Status check(const McpServerConfig& config);

}  // namespace perdure
