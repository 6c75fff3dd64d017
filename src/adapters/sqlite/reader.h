#pragma once
// The reads of ports/store.h over one connection of their own. Each call is one short transaction:
// a long one would keep the log from being reused.
#include <memory>
#include <string>
#include <type_traits>
#include <vector>

#include "adapters/sqlite/database.h"
#include "adapters/sqlite/tenants.h"
#include "ports/store.h"

namespace perdure {

// One thread at a time.
class Reader : public StoreReader {
 public:
  // Beside the connection that writes.
  static Result<std::unique_ptr<Reader>> open(const std::string& path);
  // Over a connection of any kind.
  static Result<std::unique_ptr<Reader>> over(Database database);

  Result<std::optional<TaskRow>> task(const TaskId& id) override;
  Result<std::vector<TaskRow>> tasks(const TaskQuery& query) override;
  Result<TaskRows> rows_of(const TaskId& id) override;
  Result<std::vector<Frame>> frames(const TaskId& id, Seq from_seq, size_t max_bytes) override;
  Result<std::vector<Frame>> frames_as_they_are(const TaskId& id, Seq from_seq,
                                                size_t max_bytes) override;
  Result<std::optional<IdempotencyRow>> idempotency(const std::string& tenant,
                                                    const std::string& route,
                                                    const std::string& key) override;
  Result<std::vector<InterruptRow>> interrupts(const InterruptQuery& query) override;
  Result<std::vector<TimerRow>> timers_due(int64_t until_ms, size_t limit) override;
  Result<std::vector<TaskId>> runnable(std::optional<TaskId> after, size_t limit) override;
  Result<std::vector<Frame>> frames_after(Pos after, size_t max_bytes) override;
  Result<StoreCounts> counts(int64_t now_ms) override;
  Result<std::vector<KeptRow>> kept(const std::string& kind, const std::optional<KeptRow>& after,
                                    size_t limit) override;
  Result<ScrubPage> scrub(const std::string& cursor, size_t rows_max) override;
  Result<bool> contains(const Frame& frame);
  Database& database() { return database_; }

 private:
  explicit Reader(Database database) : database_(std::move(database)) {}
  Status prepare();
  Status prepare_frames();
  Status prepare_scrub();
  Status count_tasks(StoreCounts& counts);
  Status count_interrupts(StoreCounts& counts);
  Result<std::vector<InterruptRow>> interrupts_of(const InterruptQuery& query);
  Result<std::vector<TaskRow>> list(Statement& statement, const TaskQuery& query);
  // The rows of a statement whose values are bound.
  template <class Read>
  auto collect(Statement& statement, Read read)
      -> Result<std::vector<std::invoke_result_t<Read, Columns&>>>;
  struct Journal;
  Result<std::optional<Journal>> find_journal(const TaskId& id);
  Result<std::vector<Frame>> read_frames(const TaskId& id, const Journal& journal, Seq from_seq,
                                         size_t max_bytes, bool as_they_are);
  Result<Sha256> chain_before(int64_t key, Seq first_seq);
  Status check_end(const TaskId& id, const Journal& journal,
                   const std::vector<Frame>& frames) const;
  Error damaged(std::string_view table) const;

  Database database_;
  Tenants tenants_;
  Statement begin_, end_;
  Statement task_, tasks_, tasks_by_status_, tasks_of_session_, idempotency_;
  Statement journal_, frames_, chain_before_;
  Statement tasks_of_label_, interrupts_for_;
  Statement interrupts_, interrupts_of_, timers_, timers_of_, runnable_, kept_, contains_;
  Statement scrub_tasks_, scrub_timers_, scrub_interrupts_, scrub_idempotency_;
  Statement frames_after_, count_tasks_, count_interrupts_, count_timers_;
};

template <class Read>
auto Reader::collect(Statement& statement, Read read)
    -> Result<std::vector<std::invoke_result_t<Read, Columns&>>> {
  std::vector<std::invoke_result_t<Read, Columns&>> found;
  for (;;) {
    TRY_ASSIGN(const bool row, statement.step());
    if (!row) return found;
    Columns columns(statement);
    found.push_back(read(columns));
  }
}

}  // namespace perdure
