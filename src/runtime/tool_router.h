#pragma once
// Every tool by its name: the rules of its calls, what a model is told of it, and who runs it.
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "journal/message.h"
#include "tool/tool_server.h"

namespace perdure::runtime {

class ToolRouter final : public Executor, public ToolCatalog {
 public:
  // At assembly, before the first call. A tool of the operator's file; `executor` may be null if
  // calls are run elsewhere. The executors and servers outlive the router.
  void add(ToolEntry tool, Executor* executor);
  void add_server(const std::string& name, ToolServer& server);

  // All that follows is thread-safe.
  std::optional<ToolRuling> ruling(const std::string& tool) const;
  std::vector<std::string> names() const;
  // What agents may have.
  std::vector<ToolDeclaration> offered() const;

  void start(CallRequest request, Done done) override;
  void abort(const TaskId& task, const StepId& step) override;
  void answer(const TaskId& task, const StepId& step, Seq interrupt_seq, Decision decision,
              const Payload& given) override;

  std::vector<ToolEntry> tools() const override;
  std::vector<ToolServerEntry> servers() const override;
  std::optional<CallPlace> place(const std::string& tool, std::string_view args,
                                 std::string_view key) const override;
  Result<std::vector<std::string>> accept(const std::string& server,
                                          const std::string& seen) override;

 private:
  struct Declared {
    ToolEntry entry;
    Executor* executor = nullptr;
  };

  ToolServer* server_of(const std::string& tool) const;
  Executor* executor_of(const std::string& tool) const;
  std::set<Executor*> executors() const;

  std::map<std::string, Declared> declared_;
  std::map<std::string, ToolServer*> servers_;
};

}  // namespace perdure::runtime
