#pragma once
// An MCP server that we start: one message a line on its stdin and stdout. stderr is for people.
#include <memory>

#include "base/mask.h"
#include "base/secrets.h"
#include "ports/process.h"
#include "ports/timers.h"
#include "tool/mcp_server.h"
#include "tool/mcp_transport.h"

namespace perdure {

// `hidden`: paths that the server never sees, the data directory among them. An error is a server
// that cannot be started as configured. Runner and timers outlive what is returned.
Result<std::shared_ptr<McpTransport>> start_mcp_process(const McpServerConfig& config,
                                                        const Secrets& secrets,
                                                        const std::vector<std::string>& hidden,
                                                        ProcessRunner& runner, Timers& timers,
                                                        McpSink sink);

}  // namespace perdure
