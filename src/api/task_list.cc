// GET /v1/tasks
#include <algorithm>

#include "api/damaged.h"
#include "api/problem.h"
#include "api/routes.h"
#include "api/task_view.h"
#include "base/json_text.h"
#include "base/rfc3339.h"
#include "ports/label.h"

namespace perdure::api {
namespace {

// What the store does not look for is looked for here, in no more rows than a request may cost: a
// page may be short, and the list ends where there is no cursor.
constexpr size_t kScannedMax = 5'000;
constexpr size_t kScannedPage = 500;
constexpr std::string_view kMetadata = "metadata.";

using Named = std::vector<std::pair<std::string, std::string>>;

std::optional<TaskStatus> status_named(std::string_view name) {
  for (size_t i = 0; i <= static_cast<size_t>(last_of(TaskStatus{})); ++i) {
    if (to_string(static_cast<TaskStatus>(i)) == name) return static_cast<TaskStatus>(i);
  }
  return std::nullopt;
}

// A member with this text; numbers and booleans as JSON writes them.
bool has_member(const json::object& metadata, const std::string& name, const std::string& text) {
  const json::value* value = metadata.if_contains(name);
  if (value == nullptr) return false;
  return value->is_string() ? std::string_view(value->get_string()) == text
                            : json_text(*value) == text;
}

struct Filter {
  std::optional<TaskId> oldest;  // the smallest id that is wanted
  std::string agent;             // empty: any
  Named metadata;

  bool is_selective() const { return !agent.empty() || metadata.size() > 1; }
  bool wants(const TaskRow& row) const {
    if (row.damaged) return agent.empty() && metadata.empty();  // nobody knows what it would say
    if (!agent.empty() && row.agent != agent) return false;
    if (metadata.empty()) return true;
    const auto parsed = parse_json(row.metadata, "metadata");
    if (!parsed || !parsed->is_object()) return false;
    return std::all_of(metadata.begin(), metadata.end(), [&](const auto& wanted) {
      return has_member(parsed->get_object(), wanted.first, wanted.second);
    });
  }
};

struct Page {
  std::vector<TaskRow> rows;
  std::optional<TaskId> next;  // the list may go on behind this one
};

std::optional<TaskId> time_of(QueryReader& query, std::string_view name) {
  const auto text = query.text(name);
  if (!text) return std::nullopt;
  const auto at_ms = parse_rfc3339(*text);
  if (at_ms) return TaskId::first_of(std::max<int64_t>(*at_ms, 0));  // no task is older than 1970
  query.fail_at(name, "expected a time in UTC, such as 2027-01-31T12:00:00Z");
  return std::nullopt;
}

Result<Page> read_page(StoreReader& store, TaskQuery query, const Filter& filter, size_t limit) {
  Page page;
  query.limit = filter.is_selective() ? kScannedPage : limit + 1;
  for (size_t scanned = 0;;) {
    TRY_ASSIGN(std::vector<TaskRow> rows, store.tasks(query));
    const bool last = rows.size() < query.limit;
    for (TaskRow& row : rows) {
      if (filter.oldest && row.id < *filter.oldest) return page;
      if (page.rows.size() == limit || scanned == kScannedMax) {
        page.next = query.before;
        return page;
      }
      ++scanned;
      query.before = row.id;
      if (filter.wants(row)) page.rows.push_back(std::move(row));
    }
    if (last) return page;
  }
}

Response page_response(json::array tasks, const std::optional<TaskId>& next) {
  const json::value cursor = next ? json::value(next->to_string()) : json::value();
  return json_response(
      200, json_text(json::object{{"tasks", std::move(tasks)}, {"next_cursor", cursor}}));
}

// A damaged task is shown as such in every list that names it.
json::object item_of(Context& context, const TaskRow& row) {
  const auto damage = context.parts.engine.quarantine().find(row.id);
  if (damage && !damage->is_ended()) return damaged_task_json(*damage);
  if (!row.damaged) return task_summary_json(row);
  engine::Damage found = damage_of_row(context, row.id);
  context.parts.engine.on_damage(row.id, 0, found.what);
  return damaged_task_json(found);
}

Response list_damaged(const Context& context, const std::string& tenant,
                      const std::optional<TaskId>& before, size_t limit) {
  const auto found = context.parts.engine.quarantine().list(tenant, before, limit + 1);
  json::array tasks;
  for (const engine::Damage& damage : found) {
    if (tasks.size() < limit) tasks.push_back(damaged_task_json(damage));
  }
  const bool more = found.size() > limit;
  return page_response(std::move(tasks),
                       more ? std::optional(found[limit - 1].task) : std::nullopt);
}

}  // namespace

Response list_tasks(Context& context, const Call& call) {
  QueryReader query(call.query());
  TaskQuery wanted;
  Filter filter;
  wanted.tenant = call.tenant();
  filter.agent = query.text("agent").value_or("");
  wanted.session = query.text("session").value_or("");
  const auto status = query.text("status");
  const bool damaged = status == "damaged";
  if (status && !damaged) {
    wanted.status = status_named(*status);
    if (!wanted.status) {
      query.fail_at("status",
                    "expected pending, working, input_required, completed, failed, cancelled or "
                    "damaged");
    }
  }
  filter.oldest = time_of(query, "created_after");
  wanted.before = time_of(query, "created_before");
  filter.metadata = query.with_prefix(kMetadata);
  if (!filter.metadata.empty()) {  // the store looks for one of them
    wanted.label = label_of(filter.metadata.front().first, filter.metadata.front().second);
  }
  if (const auto cursor = query.text("cursor")) {
    const auto behind = TaskId::parse(*cursor);
    if (!behind) query.fail_at("cursor", "not a cursor of this list");
    if (behind && (!wanted.before || *behind < *wanted.before)) wanted.before = behind;
  }
  const uint64_t limit = query.page_limit();
  ANSWER_STATUS(query.finish());
  if (damaged) return list_damaged(context, call.tenant(), wanted.before, limit);
  ANSWER_ASSIGN(const Page page, read_page(context.parts.reader, wanted, filter, limit));
  json::array tasks;
  for (const TaskRow& row : page.rows) tasks.push_back(item_of(context, row));
  return page_response(std::move(tasks), page.next);
}

}  // namespace perdure::api
