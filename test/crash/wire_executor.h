#pragma once
// Runs tools over a wire of lines: a request is one line out, its answer one line in.
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/error.h"
#include "ports/executor.h"

namespace perdure::crash {

class WireExecutor : public Executor {
 public:
  using Executor::answer;
  explicit WireExecutor(std::function<void(const std::string&)> say) : say_(std::move(say)) {}

  void start(CallRequest request, Done done) override;
  void abort(const TaskId&, const StepId&) override {}  // allowed, not required

  // "answer ID OUTCOME NONCE SIZE"
  Status answer(const std::vector<std::string>& words);

 private:
  struct Waiting {
    SettleStep settle;
    Done done;
  };

  std::function<void(const std::string&)> say_;
  std::mutex mutex_;
  uint64_t last_id_ = 0;
  std::map<uint64_t, Waiting> waiting_;
};

}  // namespace perdure::crash
