#pragma once
// What an HTTP answer means for the request that was posted.
#include <optional>

#include "ports/http_client.h"
#include "tool/mcp_transport.h"

namespace perdure {

enum class McpBody : uint8_t { kJson, kEvents, kNone };
// By Content-Type, of a head with a status of success.
McpBody mcp_body_of(const HttpHeaders& headers);

const std::string* answer_header(const HttpHeaders& headers, std::string_view name);

// Why the answer is none to the request; for one that ended and did not bring it.
// `in_session`: the request named a session, so that 404 says that it is over, and that nothing was
// done.
McpLoss loss_of(const HttpResult& result, bool in_session, int64_t now_unix_ms);

}  // namespace perdure
