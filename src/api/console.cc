// GET / and GET /console/{file}: the web console. The page is nobody's secret; what it shows, it
// asks the API for, with the token that its reader gives it.
#include "api/console_files.h"
#include "api/problem.h"
#include "api/routes.h"

namespace perdure::api {
namespace {

// Nothing is loaded from elsewhere, nothing inline runs, no other page may frame it.
constexpr const char* kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

Response file_response(std::string_view name) {
  const ConsoleFile* file = find_console_file(name);
  if (file == nullptr) return problem(404, "not_found", "the console has no such file");
  Response response;
  response.headers = {{"content-type", std::string(file->type)},
                      {"cache-control", "no-cache"},
                      {"content-security-policy", kPolicy},
                      {"x-content-type-options", "nosniff"},
                      {"referrer-policy", "no-referrer"}};
  response.body = file->text;
  return response;
}

}  // namespace

Response get_console(Context&, const Call&) {
  return file_response("index.html");
}

Response get_console_file(Context&, const Call& call) {
  return file_response(call.segment(1));
}

}  // namespace perdure::api
