// GET /v1/tasks/{id}, POST /v1/tasks/{id}/cancel and /ack
#include <fmt/core.h>

#include <array>

#include "api/problem.h"
#include "api/routes.h"
#include "api/task_view.h"
#include "api/task_wait.h"
#include "base/json_text.h"

namespace perdure::api {
namespace {

constexpr uint64_t kWaitParameterMax = 86'400;

Response task_response(const TaskView& view) {
  Response response = json_response(200, task_json(view));
  response.headers.emplace_back("etag", etag_of(view));
  if (!is_terminal(status_of(view))) response.headers.emplace_back("retry-after", "1");
  return response;
}

bool names_etag(std::string_view header, const std::string& etag) {
  return header == "*" || header.find(etag) != std::string_view::npos;
}

// Whether the task needs its client: it has ended, or it asks somebody.
bool is_settled(const TaskView& view) {
  return is_terminal(status_of(view)) || asks_somebody(view);
}

Response look_at_task(Context& context, const Call& call, bool& ready) {
  ANSWER_ASSIGN(TaskRow row, find_task(context, call, call.segment(2)));
  ANSWER_ASSIGN(const TaskView view, view_task(context, std::move(row)));
  const std::string etag = etag_of(view);
  const auto known = call.request->header("if-none-match");
  const bool unchanged = known && names_etag(*known, etag);
  ready = is_settled(view) && !unchanged;
  if (!unchanged) return task_response(view);
  Response response;
  response.status = 304;
  response.headers = {{"etag", etag}, {"cache-control", "private, no-cache"}};
  return response;
}

// A command whose answer is the task as it is afterwards.
void command_task(Context& context, const Call& call, const TaskId& id, Command command) {
  context.parts.engine.command(
      id, std::move(command),
      [&context, call](const Result<engine::Submitted>& result) {
        if (!result) return call.responder->respond(problem(result.error()));
        context.later(call.tenant(), [&context, call] {
          bool ready = false;
          call.responder->respond(look_at_task(context, call, ready));
        });
      },
      call.tenant());
}

OrResponse<std::string> read_reason(const Context& context, const Call& call, bool allowed) {
  auto body = body_of(context, call);
  if (!body) return tl::unexpected(std::move(body.error()));
  ObjectReader in(*body, "body");
  std::string reason;
  if (allowed) reason = in.string("reason", "");
  if (reason.size() > kRemarkMaxBytes) {
    in.fail_at("reason", fmt::format("longer than {} bytes", kRemarkMaxBytes));
  }
  if (const Status read = in.finish(); !read) return tl::unexpected(problem(read.error()));
  return reason;
}

}  // namespace

void get_task(Context& context, Call call) {
  QueryReader query(call.query());
  const uint64_t wait_s = query.number("wait", 0, kWaitParameterMax, 0);
  if (const Status read = query.finish(); !read) {
    return call.responder->respond(problem(read.error()));
  }
  bool ready = false;
  if (wait_s == 0 || call.request->method == "HEAD") {
    return call.responder->respond(look_at_task(context, call, ready));
  }
  const auto row = find_task(context, call, call.segment(2));
  if (!row) return call.responder->respond(problem(row.error()));
  const int64_t wait_ms =
      std::min(static_cast<int64_t>(wait_s) * 1000, context.parts.limits.wait_max_ms);
  const auto responder = call.responder;
  call.responder = nullptr;
  TaskWait::start(context, call.tenant(), row->id, wait_ms, responder,
                  [&context, call = std::move(call)](bool last) -> std::optional<Response> {
                    bool settled = false;
                    Response response = look_at_task(context, call, settled);
                    if (settled || last || response.status >= 400) return response;
                    return std::nullopt;
                  });
}

void cancel_task(Context& context, Call call) {
  auto reason = read_reason(context, call, true);
  if (!reason) return call.responder->respond(std::move(reason.error()));
  const auto row = find_task(context, call, call.segment(2));
  if (!row) return call.responder->respond(problem(row.error()));
  Cancel command{call.who->principal, std::move(*reason)};
  command_task(context, call, row->id, std::move(command));
}

void acknowledge_task(Context& context, Call call) {
  auto nothing = read_reason(context, call, false);
  if (!nothing) return call.responder->respond(std::move(nothing.error()));
  const auto row = find_task(context, call, call.segment(2));
  if (!row) return call.responder->respond(problem(row.error()));
  Acknowledge command{call.who->principal};
  command_task(context, call, row->id, std::move(command));
}

}  // namespace perdure::api
