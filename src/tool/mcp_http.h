#pragma once
// Streamable HTTP: a POST for each frame, answered by JSON or by a stream of events; a stream that
// breaks off is taken up again with GET and Last-Event-ID; one GET stream more for what the server
// says by itself; a DELETE at the end. A POST is never repeated.
// https://modelcontextprotocol.io/specification/2025-11-25/basic/transports
#include <memory>

#include "base/mask.h"
#include "base/secrets.h"
#include "ports/clock.h"
#include "ports/http_client.h"
#include "ports/timers.h"
#include "tool/mcp_server.h"
#include "tool/mcp_transport.h"

namespace perdure {

// An error is a server that cannot be asked as configured. Client, timers and clock outlive the
// last callback.
Result<std::shared_ptr<McpTransport>> open_mcp_http(const McpServerConfig& config,
                                                    const Secrets& secrets, HttpClient& http,
                                                    Timers& timers, Clock& clock, McpSink sink);

}  // namespace perdure
