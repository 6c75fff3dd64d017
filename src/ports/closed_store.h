#pragma once
// A store that no server has open, for who looks at all of it and puts its rows right.
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "ports/store.h"

namespace perdure {

// What stands beside the frames of one task.
struct JournalPlace {
  uint64_t frames = 0;        // that there are, whether they can be read or not
  uint64_t other_tenant = 0;  // of these, under another tenant than the task
  bool has_head = false;
  Seq head = 0;
  int64_t chain = 0;  // as short_chain gives it
};

// One thread. What the reader says is what stands there now; nobody else writes.
class ClosedStore {
 public:
  virtual ~ClosedStore() = default;

  virtual StoreReader& reader() = 0;
  virtual std::string secret() const = 0;  // empty: it is damaged
  // All of them, whatever their rows are worth, in order, after `after`.
  virtual Result<std::vector<TaskId>> task_ids(std::optional<TaskId> after, size_t limit) = 0;
  virtual Result<JournalPlace> place_of(const TaskId& id) = 0;

  // Each is one durable transaction. Only of a store that was opened to be mended.
  virtual Status commit(const Batch& rows) = 0;  // without frames
  // Where the journal ends, as the store keeps it of open tasks; null: of this one no more. Its
  // frames stand under the tenant of its row then.
  virtual Status put_head(const TaskId& id, const Frame* newest) = 0;
  // Once all rows are right: what lists are answered from says the same again.
  virtual Status mend_lists(const std::function<void(const std::string&)>& note) = 0;
};

}  // namespace perdure
