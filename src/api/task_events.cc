// GET /v1/tasks/{id}/events
#include <fmt/core.h>

#include "api/event_stream.h"
#include "api/problem.h"
#include "api/routes.h"
#include "api/task_view.h"
#include "base/text.h"

namespace perdure::api {
namespace {

bool wants_stream(const Call& call) {
  const auto accept = call.request->header("accept");
  return accept && accept->find("text/event-stream") != std::string_view::npos &&
         call.request->method != "HEAD";
}

struct Page {
  Seq after = 0;
  size_t limit = 0;
};

Response events_page(Context& context, const TaskRow& row, const Page& page) {
  engine::JournalReader journal = context.journal(row.id, 1);
  engine::PayloadReader payloads = context.payloads(row.tenant, row.id);
  EventProjector projector(row.id);
  std::string events;
  size_t count = 0;
  Seq seen = page.after;
  bool more = false;
  for (;;) {
    ANSWER_ASSIGN(Record* const record, journal.next());
    if (record == nullptr) break;
    projector.fold(*record);
    if (record->seq <= page.after) continue;
    if (count == page.limit || events.size() > context.parts.limits.page_bytes_max) {
      more = true;
      break;
    }
    seen = record->seq;
    if (Payload* payload = payload_of(record->body)) {
      ANSWER_STATUS(payloads.complete(*payload, kInlinePayloadMaxBytes));
    }
    const auto event = projector.project(*record);
    if (!event) continue;
    if (count++ > 0) events += ',';
    events += event_json(*event);
  }
  return json_response(
      200, fmt::format(R"({{"events":[{}],"next_after":{},"has_more":{}}})", events, seen, more));
}

// Where the client left off: the header is newer than the address.
OrResponse<Seq> after_of(const Call& call, QueryReader& query) {
  Seq after = query.number("after", 0, INT64_MAX, 0);
  if (const auto last = call.request->header("last-event-id"); last && !last->empty()) {
    const auto seq = parse_u64(*last);
    if (!seq) {
      return tl::unexpected(problem(400, "invalid_event_id", "Last-Event-ID: not an event's id"));
    }
    after = *seq;
  }
  return after;
}

}  // namespace

void get_events(Context& context, Call call) {
  QueryReader query(call.query());
  const auto after = after_of(call, query);
  if (!after) return call.responder->respond(after.error());
  const Page page{*after, query.number("limit", 1, 1000, 100)};
  if (const Status read = query.finish(); !read) {
    return call.responder->respond(problem(read.error()));
  }
  const auto row = find_task(context, call, call.segment(2));
  if (!row) return call.responder->respond(problem(row.error()));
  if (!wants_stream(call)) return call.responder->respond(events_page(context, *row, page));
  if (row->ended_seq != 0 && page.after >= row->ended_seq) {
    Response nothing_more;
    nothing_more.status = 204;
    return call.responder->respond(std::move(nothing_more));
  }
  if (!context.counters->streams.take(call.tenant())) {  // the stream gives it back
    return call.responder->respond(
        problem(503, "too_many_streams",
                fmt::format("too many event streams are open: {} of all tenants together, of which "
                            "one tenant leaves some to the others; poll, or come later",
                            context.counters->streams.used())));
  }
  EventStream::start(context, call.who, row->id, page.after, call.responder);
}

}  // namespace perdure::api
