#pragma once
// The routes: one function each, a file per resource. A function that returns answers at once; the
// others answer through the call's responder. Not for other folders.
#include "api/context.h"

namespace perdure::api {

// submit.cc
void submit_task(Context& context, Call call);

// tasks.cc
void get_task(Context& context, Call call);
void cancel_task(Context& context, Call call);
void acknowledge_task(Context& context, Call call);

// damaged.cc
Response get_damage(Context& context, const Call& call);
void end_damaged_task(Context& context, Call call);

// task_list.cc
Response list_tasks(Context& context, const Call& call);

// task_events.cc
void get_events(Context& context, Call call);

// task_journal.cc
Response get_journal(Context& context, const Call& call);
Response get_state(Context& context, const Call& call);

// interrupts.cc
Response list_interrupts(Context& context, const Call& call);
Response get_interrupt(Context& context, const Call& call);
void resolve_interrupt(Context& context, Call call);

// agents.cc
Response list_agents(Context& context, const Call& call);
Response get_agent(Context& context, const Call& call);
Response list_agent_versions(Context& context, const Call& call);
Response get_agent_version(Context& context, const Call& call);
void put_agent(Context& context, Call call);

// keys.cc
Response list_keys(Context& context, const Call& call);
void create_key(Context& context, Call call);
void delete_key(Context& context, Call call);

// tools.cc
Response list_tools(Context& context, const Call& call);
Response accept_tools(Context& context, const Call& call);

// planners.cc
void poll_planner(Context& context, Call call);
void answer_turn(Context& context, Call call);

// console.cc
Response get_console(Context& context, const Call& call);
Response get_console_file(Context& context, const Call& call);

// system.cc
Response get_health(Context& context, const Call& call);
Response get_readiness(Context& context, const Call& call);
Response get_metrics(Context& context, const Call& call);
Response get_openapi(Context& context, const Call& call);

}  // namespace perdure::api
