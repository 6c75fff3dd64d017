#pragma once
#include <memory>
#include <string_view>
#include <vector>

#include "base/secrets.h"
#include "ports/clock.h"
#include "ports/executor.h"
#include "ports/http_client.h"
#include "tool/http_tool.h"

namespace perdure {

// Runs HTTP tools. One call is one request: retries are the engine's. Thread-safe; may be destroyed
// while calls are open. Client and clock must outlive the calls.
class HttpToolExecutor final : public Executor {
 public:
  HttpToolExecutor(HttpClient& client, Clock& clock, Secrets secrets,
                   std::vector<HttpToolConfig> tools);
  ~HttpToolExecutor() override;

  void start(CallRequest request, Done done) override;
  // Stops reads and repeatable calls. Others run to their end: to stop an acting request in the
  // middle turns an answer into a doubt.
  void abort(const TaskId& task, const StepId& step) override;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace perdure
