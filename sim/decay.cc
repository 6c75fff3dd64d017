#include "decay.h"

#include <algorithm>
#include <tuple>

#include "ports/row_digest.h"

namespace perdure::sim {
namespace {

void flip_in(std::string& bytes, uint64_t bit) {
  if (bytes.empty()) {
    bytes = "x";  // its length has changed
  } else {
    const uint64_t at = bit / 8 % bytes.size();
    bytes[at] = static_cast<char>(bytes[at] ^ (1 << bit % 8));
  }
}

template <class Number>
void flip_in(Number& number, uint64_t bit) {
  number = static_cast<Number>(static_cast<uint64_t>(number) ^ uint64_t{1} << bit % 32);
}

int64_t digest_of(const Frame& frame) {
  return short_chain(frame.chain);
}

// What SQLite gives of a word that there is not is damage too.
template <class Word>
void flip_word(Word& word, uint64_t bit) {
  const auto last = static_cast<uint64_t>(last_of(Word{}));
  word = static_cast<Word>((static_cast<uint64_t>(word) + 1 + bit % last) % (last + 1));
}

// The count and the epoch stand in the row of a frame, as the chain does.
void flip_in(Frame& frame, uint64_t field, uint64_t bit) {
  switch (field % 8) {
    case 0:
      return flip_in(frame.count, bit % 3);
    case 1:
      return flip_in(frame.epoch, bit);
    case 2:
      frame.chain.bytes[bit / 8 % 32] ^= static_cast<uint8_t>(1 << bit % 8);
      return;
    default:
      return flip_in(frame.body, bit);
  }
}

void flip_in(TaskRow& row, uint64_t field, uint64_t bit) {
  switch (field % 8) {
    case 0:
      return flip_word(row.status, bit);
    case 1:
      return flip_word(row.phase, bit);
    case 2:
      row.runnable = !row.runnable;
      return;
    case 3:
      return flip_in(row.waiting_for, bit);
    case 4:
      return flip_in(row.planner, bit);
    case 5:
      return flip_in(row.created_ms, bit);
    case 6:
      return flip_in(row.ended_seq, bit);
    default:
      return flip_in(row.metadata, bit);
  }
}

void flip_in(TimerRow& row, uint64_t field, uint64_t bit) {
  if (field % 2 == 0) flip_in(row.timer, bit);
  if (field % 2 == 1) flip_in(row.due_ms, bit);
}

void flip_in(InterruptRow& row, uint64_t field, uint64_t bit) {
  if (field % 3 == 0) flip_word(row.reason, bit);
  if (field % 3 == 1) flip_in(row.created_ms, bit);
  if (field % 3 == 2) flip_in(row.shown, bit);
}

void flip_in(TaskSnapshot& snapshot, uint64_t field, uint64_t bit) {
  switch (field % 8) {
    case 0:
      return flip_in(snapshot.seq, bit % 6);
    case 1:
      snapshot.chain.bytes[bit / 8 % 32] ^= static_cast<uint8_t>(1 << bit % 8);
      return;
    case 2:
      return flip_in(snapshot.format, bit % 4);
    default:
      return flip_in(snapshot.body, bit);
  }
}

}  // namespace

bool Decay::flip_one(Dice& dice) {
  using What = Flip::What;
  struct Place {
    What what;
    TaskId task;
    int64_t of;
  };
  std::vector<Place> places;
  std::vector<What> kinds = {What::kSecret};
  const auto add = [&](What what, const TaskId& task, int64_t of) {
    places.push_back({what, task, of});
    if (kinds.back() != what) kinds.push_back(what);
  };
  for (const auto& [id, frames] : rows_.frames) {
    for (const Frame& frame : frames) add(What::kFrame, id, digest_of(frame));
  }
  if (places.empty()) return false;
  for (const auto& [id, row] : rows_.tasks) add(What::kTask, id, perdure::digest_of(row));
  for (const auto& [key, due_ms] : rows_.timers) {
    add(What::kTimer, key.first, perdure::digest_of(TimerRow{key.first, key.second, due_ms}));
  }
  for (const auto& [id, row] : rows_.interrupts) {
    add(What::kInterrupt, id.task, perdure::digest_of(row));
  }
  for (const auto& [key, snapshot] : snapshots_) {
    add(What::kSnapshot, key.first, perdure::digest_of(snapshot));
  }
  const What kind = dice.pick(kinds);
  std::erase_if(places, [&](const Place& place) { return place.what != kind; });
  Flip flip;
  flip.what = kind;
  if (!places.empty()) {
    const Place& chosen = dice.pick(places);
    flip.task = chosen.task;
    flip.of = chosen.of;
  }
  flip.field = dice.bits();
  flip.bit = dice.bits();
  flips_.push_back(std::move(flip));
  return true;
}

// By what is read now: a second flip may have put a bit right, and a row that was written again is.
// Snapshots are not of it: what is damaged there is not believed, and nobody needs it.
bool Decay::differs_behind(const TaskId& task, Seq seq) const {
  const bool touched = std::any_of(flips_.begin(), flips_.end(),
                                   [&](const Flip& flip) { return flip.task == task; });
  if (!touched) return false;
  const auto differs = [&](const auto& written) {
    return perdure::digest_of(as_read(written)) != perdure::digest_of(written);
  };
  const auto frames = rows_.frames.find(task);
  for (const Frame& written :
       frames == rows_.frames.end() ? std::vector<Frame>() : frames->second) {
    if (written.last_seq() < seq) continue;
    const Frame read = as_read(written);
    if (std::tie(read.count, read.epoch, read.chain, read.body) !=
        std::tie(written.count, written.epoch, written.chain, written.body)) {
      return true;
    }
  }
  const TaskRows rows = rows_.rows_of(task);
  return (rows.task && differs(*rows.task)) ||
         std::any_of(rows.timers.begin(), rows.timers.end(), differs) ||
         std::any_of(rows.interrupts.begin(), rows.interrupts.end(), differs);
}

void Decay::begin_life() {
  passed_over_.clear();
  for (const auto& [key, written] : snapshots_) {
    const bool whole = perdure::digest_of(as_read(written)) == perdure::digest_of(written);
    if (key.second == TaskSnapshot::Kind::kState && whole) passed_over_[key.first] = written.seq;
  }
}

bool Decay::misleads(const TaskId& task) const {
  const auto from = passed_over_.find(task);
  return differs_behind(task, from == passed_over_.end() ? 0 : from->second);
}

template <class Row>
Row Decay::changed(Flip::What what, const TaskId& task, const Row& written) const {
  Row read = written;
  if (flips_.empty()) return read;
  const int64_t digest = digest_of(written);
  for (const Flip& flip : flips_) {
    if (flip.what != what || flip.task != task || flip.of != digest) continue;
    flip_in(read, flip.field, flip.bit);
  }
  return read;
}

Frame Decay::as_read(const Frame& written) const {
  return changed(Flip::What::kFrame, written.task, written);
}
TaskRow Decay::as_read(const TaskRow& written) const {
  return changed(Flip::What::kTask, written.id, written);
}
TimerRow Decay::as_read(const TimerRow& written) const {
  return changed(Flip::What::kTimer, written.task, written);
}
InterruptRow Decay::as_read(const InterruptRow& written) const {
  return changed(Flip::What::kInterrupt, written.task, written);
}

TaskSnapshot Decay::as_read(const TaskSnapshot& written) const {
  return changed(Flip::What::kSnapshot, written.task, written);
}

std::string Decay::secret_as_read() const {
  std::string secret = rows_.secret;
  for (const Flip& flip : flips_) {
    if (flip.what == Flip::What::kSecret) flip_in(secret, flip.bit);
  }
  return secret;
}

}  // namespace perdure::sim
