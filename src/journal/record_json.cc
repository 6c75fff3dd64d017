#include "journal/record_json.h"

#include "base/text.h"
#include "journal/json_writer.h"

namespace perdure {

json::value payload_to_json(const Payload& payload) {
  json::object out;
  out["sha256"] = to_hex(payload.hash.view());
  out["size_bytes"] = payload.size_bytes;
  if (payload.place == Payload::Place::kWithin) out["within_seq"] = payload.within_seq;
  if (payload.place == Payload::Place::kErased) out["erased"] = true;
  if (!payload.bytes) return out;
  if (auto parsed = parse_json(payload.view(), "payload")) {
    out["json"] = std::move(*parsed);
  } else if (is_valid_utf8(payload.view())) {
    out["text"] = payload.view();
  } else {
    out["hex"] = to_hex(payload.view());
  }
  return out;
}

json::object record_to_json(const Record& record) {
  json::object out;
  out["seq"] = record.seq;
  out["at"] = to_rfc3339(record.at_ms);
  out["type"] = name_of(record.body);
  JsonWriter writer(out);
  std::visit(
      [&](const auto& body) { const_cast<std::decay_t<decltype(body)>&>(body).fields(writer); },
      record.body);
  return out;
}

json::object record_to_normalised_json(const Record& record) {
  json::object out = record_to_json(record);
  for (const char* name : {"seq", "at", "planner", "planner_version", "answer_hash", "due_ms",
                           "not_after_ms", "key_check"}) {
    out.erase(name);
  }
  // The planner's own state is its own business; that it answered is not.
  if (std::holds_alternative<TurnAccepted>(record.body)) out.erase("state");
  return out;
}

}  // namespace perdure
