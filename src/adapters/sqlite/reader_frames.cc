// What a Reader reads of journals: frames, each with the chain of the one before, up to the end
// that the store knows of.
#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "adapters/sqlite/reader.h"
#include "adapters/sqlite/snapshot.h"
#include "base/hooks.h"
#include "ports/row_digest.h"

namespace perdure {
namespace {

constexpr const char* kJournal =
    "SELECT task.key, task.ended_seq, head.seq, head.chain FROM task "
    "LEFT JOIN head ON head.task = task.key WHERE task.id = ?";
// The frame that holds a record is the last one that begins at or before it.
constexpr const char* kFrames = R"(
SELECT pos, first_seq, count, epoch, chain, body FROM frame WHERE task = ?1
AND first_seq >= coalesce((SELECT max(first_seq) FROM frame WHERE task = ?1 AND first_seq <= ?2), 0)
ORDER BY first_seq)";
constexpr const char* kChainBefore =
    "SELECT chain FROM frame WHERE task = ? AND first_seq < ? ORDER BY first_seq DESC LIMIT 1";
constexpr const char* kFramesAfter =
    "SELECT task.id, task.key, pos, first_seq, count, epoch, chain, body FROM frame "
    "JOIN task ON task.key = frame.task WHERE pos > ? ORDER BY pos";
constexpr const char* kContains =
    "SELECT 1 FROM frame WHERE task = (SELECT key FROM task WHERE id = ?) AND first_seq = ? "
    "AND epoch = ? AND chain = ?";

// But for the body, the last column.
Frame frame_without_body(Columns& columns) {
  Frame frame;
  frame.pos = columns.natural();
  frame.first_seq = columns.natural();
  frame.count = columns.small();
  frame.epoch = columns.natural();
  frame.chain = columns.hash();
  return frame;
}

}  // namespace

// Where a task's frames stand, and where they end.
struct Reader::Journal {
  int64_t key = 0;
  Seq ended_seq = 0;
  bool has_head = false;  // open tasks have one
  Seq head = 0;
  int64_t chain = 0;

  bool ends_with(const Frame& last) const {
    if (!has_head) return ended_seq != 0 && last.last_seq() >= ended_seq;
    return last.last_seq() == head && short_chain(last.chain) == chain;
  }
};

Status Reader::prepare_frames() {
  const std::pair<Statement*, const char*> statements[] = {
      {&journal_, kJournal},          {&frames_, kFrames},
      {&chain_before_, kChainBefore}, {&contains_, kContains},
      {&frames_after_, kFramesAfter},
  };
  for (const auto& [statement, sql] : statements) {
    TRY_ASSIGN(*statement, Statement::prepare(database_, sql));
  }
  return {};
}

Result<std::vector<Frame>> Reader::frames(const TaskId& id, Seq from_seq, size_t max_bytes) {
  TRY_ASSIGN(const Snapshot snapshot, Snapshot::begin(begin_, end_));
  TRY_ASSIGN(const std::optional<Journal> journal, find_journal(id));
  if (!journal) return std::vector<Frame>();
  return read_frames(id, *journal, from_seq, max_bytes, false);
}

Result<std::vector<Frame>> Reader::frames_as_they_are(const TaskId& id, Seq from_seq,
                                                      size_t max_bytes) {
  TRY_ASSIGN(const Snapshot snapshot, Snapshot::begin(begin_, end_));
  TRY_ASSIGN(const std::optional<Journal> journal, find_journal(id));
  if (!journal) return std::vector<Frame>();
  return read_frames(id, *journal, from_seq, max_bytes, true);
}

Result<std::optional<Reader::Journal>> Reader::find_journal(const TaskId& id) {
  const Run run(journal_);
  journal_.bind(id);
  TRY_ASSIGN(const bool found, journal_.step());
  if (!found) return std::nullopt;
  Columns columns(journal_);
  Journal journal;
  journal.key = columns.integer();
  journal.ended_seq = columns.natural();
  journal.has_head = !columns.is_null();
  if (journal.has_head) {
    journal.head = columns.natural();
    journal.chain = columns.integer();
  }
  if (!columns.ok()) journal.has_head = true, journal.head = 0;  // no journal ends there
  return journal;
}

Result<std::vector<Frame>> Reader::read_frames(const TaskId& id, const Journal& journal,
                                               Seq from_seq, size_t max_bytes, bool as_they_are) {
  const Run run(frames_);
  frames_.bind(journal.key, std::min<Seq>(from_seq, INT64_MAX));
  std::vector<Frame> found;
  size_t bytes = 0;
  for (;;) {
    TRY_ASSIGN(const bool row, frames_.step());
    if (!row) break;
    Columns columns(frames_);
    Frame frame = frame_without_body(columns);
    frame.task = id;
    bytes += columns.size_bytes();
    if (!found.empty() && bytes > max_bytes) return found;
    frame.body = columns.bytes();
    if (!columns.ok() && as_they_are) continue;
    if (!columns.ok()) {
      return fail(Code::kCorrupt,
                  fmt::format("journal of {}, frame at sequence number {}: a column is damaged",
                              id.to_string(), frame.first_seq));
    }
    if (!found.empty()) {
      frame.previous = found.back().chain;
    } else if (frame.first_seq > 1) {
      TRY_ASSIGN(frame.previous, chain_before(journal.key, frame.first_seq));
    }
    found.push_back(std::move(frame));
  }
  if (!as_they_are) TRY_STATUS(check_end(id, journal, found));
  if (!found.empty() && found.back().last_seq() < from_seq) found.clear();
  return found;
}

Result<Sha256> Reader::chain_before(int64_t key, Seq first_seq) {
  const Run run(chain_before_);
  chain_before_.bind(key, first_seq);
  TRY_ASSIGN(const bool found, chain_before_.step());
  return found ? Columns(chain_before_).hash() : Sha256{};
}

Status Reader::check_end(const TaskId& id, const Journal& journal,
                         const std::vector<Frame>& frames) const {
  if (!frames.empty() && journal.ends_with(frames.back())) return {};
  if (hooks::planted(hooks::Bug::kVerificationSkipped)) return {};
  const Seq last = frames.empty() ? 0 : frames.back().last_seq();
  return fail(Code::kCorrupt,
              fmt::format("journal of {}: it ends at record {}, and {}", id.to_string(), last,
                          journal.has_head ? fmt::format("its newest one was {}, of another hash "
                                                         "chain or not there",
                                                         journal.head)
                                           : std::string("where it ended is not known")));
}

Result<std::vector<Frame>> Reader::frames_after(Pos after, size_t max_bytes) {
  TRY_ASSIGN(const Snapshot snapshot, Snapshot::begin(begin_, end_));
  const Run run(frames_after_);
  frames_after_.bind(after);
  std::vector<Frame> found;
  size_t bytes = 0;
  for (;;) {
    TRY_ASSIGN(const bool row, frames_after_.step());
    if (!row) return found;
    Columns columns(frames_after_);
    const TaskId task = columns.task();
    const int64_t key = columns.integer();
    Frame frame = frame_without_body(columns);
    frame.task = task;
    bytes += columns.size_bytes();
    if (!found.empty() && bytes > max_bytes) return found;
    frame.body = columns.bytes();
    if (!columns.ok()) frame.chain = {};  // fits no frame: whoever reads it finds the damage
    if (frame.first_seq > 1) {
      TRY_ASSIGN(frame.previous, chain_before(key, frame.first_seq));
    }
    found.push_back(std::move(frame));
  }
}

Result<bool> Reader::contains(const Frame& frame) {
  const Run run(contains_);
  contains_.bind(frame.task, frame.first_seq, frame.epoch, frame.chain);
  return contains_.step();
}

}  // namespace perdure
