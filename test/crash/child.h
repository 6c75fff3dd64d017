#pragma once
// An engine over a data directory, as the server assembles it, without HTTP: submissions, answers
// of tools and decisions come as lines, and what it does is said as lines (claims.h, and
//   ask TASK SEQ REASON STEP    a question is open
//   ended TASK                  a task had ended before this process began
// ). Lines in:
//   submit TENANT KEY SCRIPT
//   answer ID OUTCOME NONCE SIZE
//   decide TASK SEQ DECISION
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace perdure::crash {

struct ChildOptions {
  std::string dir;
  bool unsafe_no_sync = false;  // a control: commits are not durable
};

class Child {
 public:
  // `say` takes whole lines, in order, on any thread, one at a time.
  static Result<std::unique_ptr<Child>> start(ChildOptions options,
                                              std::function<void(const std::string&)> say);
  ~Child();

  Status hear(std::string_view line);

 private:
  struct Impl;
  explicit Child(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace perdure::crash
