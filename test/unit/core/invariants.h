#pragma once
// What must be true of a task after every command, and of every record that was appended: the
// promises of docs/guarantees.md as far as one task can see them. Failures go to GoogleTest.
#include <memory>

#include "core/task.h"

namespace perdure::test {

// Nothing waits for what cannot come; reservations belong to intents; questions belong to steps.
void check_task(const core::Task& task);

// Reads a journal from its beginning and says which record breaks a promise.
class Promises {
 public:
  Promises();
  ~Promises();
  void read(const Record& record);

 private:
  class Reader;
  std::unique_ptr<Reader> reader_;
};

// Each send follows from an intent of the same commit, and each intent is sent.
void check_effects(const core::Applied& applied);

// A terminal state never changes: only acknowledgements and anomalies are added.
void check_after_end(const core::Applied& applied);

}  // namespace perdure::test
