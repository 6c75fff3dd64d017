#include "runtime/tool_router.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>

#include "base/text.h"
#include "tool/call_place.h"

namespace perdure::runtime {

void ToolRouter::add(ToolEntry tool, Executor* executor) {
  std::string name = tool.name;
  declared_[std::move(name)] = {std::move(tool), executor};
}

void ToolRouter::add_server(const std::string& name, ToolServer& server) {
  servers_[name] = &server;
}

ToolServer* ToolRouter::server_of(const std::string& tool) const {
  const auto found = servers_.find(tool.substr(0, tool.find('.')));
  return found == servers_.end() ? nullptr : found->second;
}

Executor* ToolRouter::executor_of(const std::string& tool) const {
  const auto found = declared_.find(tool);
  return found == declared_.end() ? server_of(tool) : found->second.executor;
}

std::optional<ToolRuling> ToolRouter::ruling(const std::string& tool) const {
  if (const auto found = declared_.find(tool); found != declared_.end()) {
    return ToolRuling{found->second.entry.rules, ""};
  }
  const ToolServer* server = server_of(tool);
  return server == nullptr ? std::nullopt : server->ruling(tool);
}

std::vector<std::string> ToolRouter::names() const {
  std::vector<std::string> names;
  for (const ToolEntry& tool : tools()) names.push_back(tool.name);
  return names;
}

std::vector<ToolDeclaration> ToolRouter::offered() const {
  std::vector<ToolDeclaration> offered;
  for (ToolEntry& tool : tools()) {
    if (!is_accepted(tool.state)) continue;
    offered.push_back(
        {std::move(tool.name), std::move(tool.description), std::move(tool.input_schema)});
  }
  return offered;
}

void ToolRouter::start(CallRequest request, Done done) {
  if (Executor* executor = executor_of(request.send.name); executor != nullptr) {
    return executor->start(std::move(request), std::move(done));
  }
  SettleStep settle;
  settle.step = request.send.step;
  settle.attempt = request.send.attempt;
  settle.outcome = Outcome::kNotSent;
  settle.failure = FailureClass::kTransient;
  settle.detail = fmt::format("no tool '{}' is configured", request.send.name);
  done(std::move(settle));
}

// The position does not say which tool it was; nobody but its executor knows the call.
std::set<Executor*> ToolRouter::executors() const {
  std::set<Executor*> executors;
  for (const auto& [name, tool] : declared_) executors.insert(tool.executor);
  for (const auto& [name, server] : servers_) executors.insert(server);
  executors.erase(nullptr);
  return executors;
}

void ToolRouter::abort(const TaskId& task, const StepId& step) {
  for (Executor* executor : executors()) executor->abort(task, step);
}

void ToolRouter::answer(const TaskId& task, const StepId& step, Seq interrupt_seq,
                        Decision decision, const Payload& given) {
  for (Executor* executor : executors()) {
    executor->answer(task, step, interrupt_seq, decision, given);
  }
}

std::vector<ToolEntry> ToolRouter::tools() const {
  std::vector<ToolEntry> tools;
  for (const auto& [name, tool] : declared_) tools.push_back(tool.entry);
  for (const auto& [name, server] : servers_) {
    for (ToolEntry& tool : server->tools()) tools.push_back(std::move(tool));
  }
  std::sort(tools.begin(), tools.end(),
            [](const auto& a, const auto& b) { return a.name < b.name; });
  return tools;
}

std::vector<ToolServerEntry> ToolRouter::servers() const {
  std::vector<ToolServerEntry> entries;
  for (const auto& [name, server] : servers_) entries.push_back(server->entry());
  return entries;
}

std::optional<CallPlace> ToolRouter::place(const std::string& tool, std::string_view args,
                                           std::string_view key) const {
  if (const auto found = declared_.find(tool); found != declared_.end()) {
    return place_of(found->second.entry, args, key);
  }
  const ToolServer* server = server_of(tool);
  if (server == nullptr) return std::nullopt;
  for (const ToolEntry& entry : server->tools()) {
    if (entry.name == tool) return place_of(entry, args, key);
  }
  return std::nullopt;
}

Result<std::vector<std::string>> ToolRouter::accept(const std::string& server,
                                                    const std::string& seen) {
  const auto found = servers_.find(server);
  if (found != servers_.end()) return found->second->accept(seen);
  std::vector<std::string> names;
  for (const auto& [name, known] : servers_) names.push_back(name);
  return fail(Code::kNotFound,
              fmt::format("there is no tool server '{}'{}", server, did_you_mean(server, names)));
}

}  // namespace perdure::runtime
