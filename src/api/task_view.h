#pragma once
// A task as its clients see it.
#include <optional>
#include <string>

#include "api/context.h"
#include "core/state.h"

namespace perdure::api {

struct TaskView {
  TaskRow row;
  // What the journal says, unless it is too long to be read for this; then the row has to do, which
  // is as old as the last change of status.
  std::optional<core::TaskState> state;
  Limits limits;  // where there is no state: as they were at the beginning
  std::optional<core::Ending> ended;
  json::value agent_change;              // of an open task: see api/agent_change.h
  std::optional<engine::Damage> damage;  // a person has ended the task, whose journal is damaged
};

// The row of a task of this tenant. Unknown and foreign ids are the same: kNotFound. A damaged task
// is kCorrupt until a person has ended it.
Result<TaskRow> find_task(Context& context, const std::string& tenant, const TaskId& id);
Result<TaskRow> find_task(Context& context, const Call& call, std::string_view id);

// The state at record `upto_seq`; kInvalid if there is no such record yet. 0: the newest.
Result<core::TaskState> fold_task(Context& context, const TaskId& id, Seq upto_seq);

Result<TaskView> view_task(Context& context, TaskRow row);

TaskStatus status_of(const TaskView& view);
// There is an open question. A task that is being cancelled may ask as well, about a doubt.
bool asks_somebody(const TaskView& view);
// Changes whenever the task does.
std::string etag_of(const TaskView& view);
std::string task_json(const TaskView& view);

// What `task_json` says of a task that was accepted just now. Written before its id is known, so
// that the engine's thread only joins three texts.
class NewTaskText {
 public:
  NewTaskText(const Submit& submit, const json::value& metadata);
  std::string of(const TaskId& id) const;

 private:
  std::string middle_;
};

json::object links_json(const std::string& id);

// In lists: without budget and result.
json::object task_summary_json(const TaskRow& row);

}  // namespace perdure::api
