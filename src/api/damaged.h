#pragma once
// Damaged tasks as their clients see them. Not for other folders.
#include "api/context.h"

namespace perdure::api {

// In lists, in the place of what cannot be believed: {"id", "status": "damaged", "damage", ...}.
json::object damaged_task_json(const engine::Damage& damage);
// "damage" of a task.
json::object damage_json(const engine::Damage& damage);
// A row of a list that is not what was written, of a task that is not known as damaged yet.
engine::Damage damage_of_row(const Context& context, const TaskId& task);

// What is known of a task that this tenant may see, if it is damaged.
std::optional<engine::Damage> find_damage(const Context& context, const std::string& tenant,
                                          const TaskId& task);

}  // namespace perdure::api
