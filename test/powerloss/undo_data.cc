#include "undo_data.h"

#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <limits>
#include <map>

namespace powerloss {
namespace {

using perdure::Code;
using perdure::fail;
using perdure::Status;

constexpr int64_t kSector = kSectorBytes;
constexpr size_t kNever = std::numeric_limits<size_t>::max();

bool shrinks(const Record& record) {
  return record.op == Op::kTruncate && record.offset < record.old_size;
}
bool changes_size(const Record& record) {
  if (record.op == Op::kTruncate) return record.offset != record.old_size;
  return record.offset + record.length > record.old_size;
}

class FileUndo {
 public:
  FileUndo(int fd, const std::vector<Change>& changes, Loss loss, Dice& dice,
           RollbackReport& report)
      : fd_(fd), changes_(changes), loss_(loss), dice_(dice), report_(report) {}

  Status run() {
    struct stat status;
    if (fstat(fd_, &status) != 0) return broken("fstat");
    size_ = status.st_size;
    decide();
    for (size_t i = changes_.size(); i-- > 0;) {
      const Change& change = changes_[i];
      if (change.record->op == Op::kTruncate) {
        TRY_STATUS(undo_truncate(i, change));
      } else {
        TRY_STATUS(undo_write(i, change));
      }
    }
    return {};
  }

 private:
  struct Sector {
    size_t versions = 0;  // writes not yet passed on the way back
    size_t kept = 0;      // the first so many last
  };

  static Status broken(const char* call) {
    return fail(Code::kInternal, std::string("roll-back: ") + call + ": " + strerror(errno));
  }

  // How many of `count` changes in order last.
  size_t keep(size_t count) {
    if (loss_ == Loss::kNone) return count;
    if (loss_ == Loss::kAll) return 0;
    return dice_.chance(probability_) ? dice_.below(count) : count;
  }

  void decide() {
    constexpr double kProbabilities[] = {0, 0.1, 0.5, 0.9, 1};
    probability_ = kProbabilities[dice_.below(std::size(kProbabilities))];
    std::vector<size_t> sizes;
    for (size_t i = 0; i < changes_.size(); i++) {
      const Record& record = *changes_[i].record;
      if (changes_size(record)) sizes.push_back(i);
      if (record.op != Op::kWrite) continue;
      for (int64_t at = record.offset / kSector; at * kSector < record.offset + record.length;
           at++) {
        sectors_[at].versions++;
      }
    }
    for (auto& [at, sector] : sectors_) sector.kept = keep(sector.versions);
    const size_t kept = sizes.empty() ? 0 : keep(sizes.size());
    if (kept < sizes.size()) first_lost_size_ = sizes[kept];
    for (size_t i = first_lost_size_; i < changes_.size(); i++) {
      if (!shrinks(*changes_[i].record)) continue;
      lost_truncate_ = i;
      break;
    }
  }

  Status resize(int64_t size) {
    if (ftruncate(fd_, size) != 0) return broken("ftruncate");
    size_ = size;
    report_.sizes_lost++;
    return {};
  }

  // Never beyond the present end: those bytes are lost in any case.
  Status restore(int64_t offset, std::string_view bytes) {
    if (offset >= size_) return {};
    bytes = bytes.substr(0, static_cast<size_t>(size_ - offset));
    if (pwrite(fd_, bytes.data(), bytes.size(), offset) != static_cast<ssize_t>(bytes.size())) {
      return broken("pwrite");
    }
    return {};
  }

  Status undo_truncate(size_t i, const Change& change) {
    const Record& record = *change.record;
    if (i < first_lost_size_) {
      if (shrinks(record)) cut_off_ = std::min(cut_off_, record.offset);
      return {};
    }
    if (!changes_size(record)) return {};
    TRY_STATUS(resize(record.old_size));
    return restore(record.offset, change.data);
  }

  Status undo_write(size_t i, const Change& change) {
    const Record& record = *change.record;
    const int64_t end = record.offset + record.length;
    for (int64_t at = record.offset / kSector; at * kSector < end; at++) {
      Sector& sector = sectors_[at];
      sector.versions--;
      const bool lost =
          sector.versions >= sector.kept || (lost_truncate_ != kNever && i > lost_truncate_);
      if (!lost) continue;
      report_.sectors_lost++;
      const int64_t from = std::max(record.offset, at * kSector);
      // A truncation that lasts has cut off what was beyond, whatever version it had.
      const int64_t to = std::min({end, (at + 1) * kSector, cut_off_});
      if (from < to) TRY_STATUS(restore(from, old_bytes(change, from, to)));
    }
    if (i < first_lost_size_ || !changes_size(record)) return {};
    return resize(i == first_lost_size_ ? partial_size(record) : record.old_size);
  }

  // What was in [from, to) before; zeros where the file did not reach.
  std::string_view old_bytes(const Change& change, int64_t from, int64_t to) {
    const size_t bytes = static_cast<size_t>(to - from);
    const size_t skipped = static_cast<size_t>(from - change.record->offset);
    memset(buffer_, 0, sizeof buffer_);
    if (skipped < change.data.size()) {
      const std::string_view there = change.data.substr(skipped, bytes);
      memcpy(buffer_, there.data(), there.size());
    }
    return {buffer_, bytes};
  }

  // A write that grew the file may have grown it by a part.
  int64_t partial_size(const Record& record) {
    const int64_t first = record.old_size / kSector + 1;
    const int64_t last = (record.offset + record.length - 1) / kSector;
    if (loss_ != Loss::kSome || first > last || dice_.chance(0.5)) return record.old_size;
    return (first + static_cast<int64_t>(dice_.below(static_cast<uint64_t>(last - first + 1)))) *
           kSector;
  }

  int fd_;
  const std::vector<Change>& changes_;
  Loss loss_;
  Dice& dice_;
  RollbackReport& report_;
  double probability_ = 0;
  int64_t size_ = 0;
  std::map<int64_t, Sector> sectors_;
  size_t first_lost_size_ = kNever;
  size_t lost_truncate_ = kNever;
  int64_t cut_off_ = std::numeric_limits<int64_t>::max();
  char buffer_[kSectorBytes];
};

}  // namespace

Status undo_data(int fd, const std::vector<Change>& changes, Loss loss, Dice& dice,
                 RollbackReport& report) {
  return FileUndo(fd, changes, loss, dice, report).run();
}

}  // namespace powerloss
