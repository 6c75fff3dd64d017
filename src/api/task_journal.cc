// GET /v1/tasks/{id}/journal and /state
#include <fmt/core.h>

#include "api/problem.h"
#include "api/routes.h"
#include "api/task_view.h"
#include "base/json_text.h"
#include "engine/journal_reader.h"
#include "engine/payload_reader.h"
#include "journal/json_writer.h"
#include "journal/record_json.h"

namespace perdure::api {
namespace {

constexpr size_t kShownPayloadMaxBytes = 1u << 20;

}  // namespace

Response get_journal(Context& context, const Call& call) {
  QueryReader query(call.query());
  const Seq after = query.number("after", 0, INT64_MAX, 0);
  const size_t limit = query.number("limit", 1, 1000, 100);
  const bool normalised = query.boolean("normalised");
  ANSWER_STATUS(query.finish());
  ANSWER_ASSIGN(const TaskRow row, find_task(context, call, call.segment(2)));
  engine::JournalReader journal = context.journal(row.id, after + 1);
  engine::PayloadReader payloads = context.payloads(row.tenant, row.id);
  std::string records;
  Seq seen = after;
  bool more = false;
  for (size_t count = 0;; ++count) {
    ANSWER_ASSIGN(Record* const record, journal.next());
    if (record == nullptr) break;
    more = count == limit || records.size() > context.parts.limits.page_bytes_max;
    if (more) break;
    seen = record->seq;
    if (Payload* payload = payload_of(record->body)) {
      ANSWER_STATUS(payloads.complete(*payload, kShownPayloadMaxBytes));
    }
    if (count > 0) records += ',';
    append_json(records, normalised ? record_to_normalised_json(*record) : record_to_json(*record));
  }
  return json_response(
      200, fmt::format(R"({{"records":[{}],"next_after":{},"has_more":{}}})", records, seen, more));
}

Response get_state(Context& context, const Call& call) {
  QueryReader query(call.query());
  const Seq at = query.number("at", 1, INT64_MAX, 0);
  ANSWER_STATUS(query.finish());
  ANSWER_ASSIGN(const TaskRow row, find_task(context, call, call.segment(2)));
  ANSWER_ASSIGN(const core::TaskState state, fold_task(context, row.id, at));
  json::object out{{"task", row.id.to_string()},
                   {"at", state.head},
                   {"status", to_string(core::status_of(state))},
                   {"phase", to_string(core::phase_of(state))}};
  out["state"] = JsonWriter::make(state);
  return json_response(200, json_text(out));
}

}  // namespace perdure::api
