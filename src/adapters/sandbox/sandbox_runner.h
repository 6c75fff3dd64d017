#pragma once
// ProcessRunner for Linux: one thread, poll(2), and bubblewrap for sandboxes.
//
// A sandboxed command lives in a pid namespace that we make and whose first process is bwrap: when
// that one ends, is killed or dies with us, the kernel kills all the rest, at whatever point of its
// start it is. bwrap's own "die with parent" holds only from the moment at which it has begun.
#include <memory>
#include <string>
#include <string_view>

#include "ports/process.h"

namespace perdure {

class SandboxLoop;

class SandboxRunner final : public ProcessRunner {
 public:
  // `path`: where bwrap is looked for, as in the variable PATH.
  explicit SandboxRunner(std::string_view path);
  ~SandboxRunner() override;

  std::unique_ptr<Process> start(ProcessSpec spec, ProcessCallbacks callbacks) override;
  // Must not be called from a callback.
  Status try_sandbox() override;

 private:
  std::shared_ptr<SandboxLoop> loop_;
};

}  // namespace perdure
