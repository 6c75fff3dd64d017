#pragma once
#include "base/secrets.h"
#include "ports/executor.h"
#include "ports/http_client.h"
#include "tool/http_tool.h"

namespace perdure {

// The request of one call. POST, PUT and PATCH carry the arguments as a JSON body, byte for byte
// where nothing has to be changed; GET, HEAD and DELETE carry them in the query. An argument that
// stands in the URL is not carried again. kInvalid: these arguments can never be sent; kNotFound: a
// secret is missing.
Result<HttpRequest> make_request(const HttpToolConfig& config, const CallRequest& call,
                                 const Secrets& secrets);

}  // namespace perdure
