// GET /healthz, /readyz, /metrics, /openapi.json
#include "api/metrics_text.h"
#include "api/openapi_text.h"
#include "api/problem.h"
#include "api/routes.h"

namespace perdure::api {

Response get_health(Context&, const Call&) {
  return json_response(200, R"({"status":"ok"})");
}

Response get_readiness(Context& context, const Call&) {
  const ApiParts& parts = context.parts;
  if (parts.readiness) {
    if (const Status ready = parts.readiness(); !ready) {
      return problem(503, "not_ready", ready.error().message);
    }
  }
  if (const auto read = parts.reader.task(TaskId{}); !read) {
    return problem(503, "not_ready", "the store cannot be read");
  }
  // Not a reason to send nothing here: decisions and reads are served, and may be what frees room.
  const bool low = parts.space != nullptr && parts.space->look().low;
  return json_response(200, low ? R"({"status":"ready","new_work":"refused"})"
                                : R"({"status":"ready","new_work":"taken"})");
}

Response get_metrics(Context& context, const Call&) {
  Response response;
  response.headers = {{"content-type", "text/plain; version=0.0.4; charset=utf-8"},
                      {"cache-control", "no-store"}};
  response.body = metrics_text(context);
  return response;
}

Response get_openapi(Context&, const Call&) {
  return json_response(200, std::string(openapi_text()));
}

}  // namespace perdure::api
