#include "adapters/sqlite/log_check.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <optional>
#include <string_view>
#include <vector>

namespace perdure {
namespace {

// With the last bit set, checksums are over big-endian words.
constexpr uint32_t kMagic = 0x377f0682;
constexpr std::string_view kEmptied = "perdure: emptied";  // before the salts
constexpr size_t kHeaderBytes = 32;
constexpr size_t kFrameHeaderBytes = 24;
constexpr size_t kSummedHeaderBytes = 8;  // of a frame: its page and whether it commits
constexpr uint32_t kPageBytes = 4096;     // SQLite's own choice, where the header cannot be asked
// Behind so many frames that are none of this log (1 MiB), nothing more of it is looked for.
constexpr int kForeignMax = 256;

uint32_t big_endian(const char* at) {
  uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 8 | static_cast<unsigned char>(at[i]);
  return value;
}

struct Sum {
  uint32_t first = 0;
  uint32_t second = 0;
  bool operator==(const Sum&) const = default;
};

Sum sum_at(const char* at) {
  return {big_endian(at), big_endian(at + 4)};
}

Sum add(Sum sum, std::string_view bytes, bool big) {
  const auto word = [&](size_t at) {
    const uint32_t value = big_endian(bytes.data() + at);
    return big ? value : __builtin_bswap32(value);
  };
  for (size_t at = 0; at + 8 <= bytes.size(); at += 8) {
    sum.first += word(at) + sum.second;
    sum.second += word(at + 4) + sum.first;
  }
  return sum;
}

struct LogHeader {
  bool good = false;
  bool emptied = false;
  bool big = false;
  uint32_t page_bytes = kPageBytes;
  Sum sum;
  std::string salts;
};

LogHeader parse_header(std::string_view bytes) {
  LogHeader header;
  header.big = big_endian(bytes.data()) == (kMagic | 1);
  header.sum = add({}, bytes.substr(0, kHeaderBytes - 8), header.big);
  header.good = (big_endian(bytes.data()) | 1) == (kMagic | 1) &&
                header.sum == sum_at(bytes.data() + kHeaderBytes - 8);
  const uint32_t page_bytes = big_endian(bytes.data() + 8);
  header.good = header.good && page_bytes >= 512 && page_bytes <= 65536;
  if (header.good) header.page_bytes = page_bytes;
  header.emptied = bytes.starts_with(kEmptied);
  header.salts = bytes.substr(16, 8);
  return header;
}

struct LogFrame {
  std::string_view bytes;

  uint32_t page() const { return big_endian(bytes.data()); }
  bool commits() const { return big_endian(bytes.data() + 4) != 0; }
  std::string_view salts() const { return bytes.substr(8, 8); }
  Sum sum() const { return sum_at(bytes.data() + 16); }
  Sum sum_after(Sum before, bool big) const {
    const Sum sum = add(before, bytes.substr(0, kSummedHeaderBytes), big);
    return add(sum, bytes.substr(kFrameHeaderBytes), big);
  }
};

// Frame by frame, behind the header.
class LogReader {
 public:
  explicit LogReader(const std::string& path)
      : path_(path), fd_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (fd_ < 0 && errno != ENOENT) error_ = errno;
  }
  LogReader(const LogReader&) = delete;
  LogReader& operator=(const LogReader&) = delete;
  ~LogReader() {
    if (fd_ >= 0) ::close(fd_);
  }

  // The next so many bytes; none where the file ends before them. Good until the next call.
  std::string_view read(size_t bytes) {
    if (fd_ < 0) return {};
    buffer_.resize(bytes);
    size_t filled = 0;
    while (filled < bytes) {
      const ssize_t got = ::read(fd_, buffer_.data() + filled, bytes - filled);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) error_ = errno;
      if (got <= 0) return {};
      filled += static_cast<size_t>(got);
    }
    return {buffer_.data(), bytes};
  }

  Status status() const {
    if (error_ == 0) return {};
    return fail(Code::kInternal, fmt::format("cannot read {}: {}", path_, std::strerror(error_)));
  }

 private:
  const std::string path_;
  const int fd_;
  int error_ = 0;
  std::vector<char> buffer_;
};

class Check {
 public:
  explicit Check(LogReader& log) : log_(log) {}

  LogCheck run() {
    const std::string_view bytes = log_.read(kHeaderBytes);
    if (bytes.empty()) return found_;
    header_ = parse_header(bytes);
    is_whole_ = header_.good;
    if (header_.good) before_ = header_.sum;
    const size_t frame_bytes = kFrameHeaderBytes + header_.page_bytes;
    for (uint64_t at = kHeaderBytes; foreign_ < kForeignMax; at += frame_bytes) {
      const std::string_view frame = log_.read(frame_bytes);
      if (frame.empty() || (at == kHeaderBytes && is_unused({frame}))) break;
      look({frame}, at);
    }
    return found_;
  }

 private:
  // A log that was grown and never written, or that was emptied.
  bool is_unused(LogFrame first) {
    if (header_.good) return false;
    const bool is_emptied = header_.emptied && first.salts() == header_.salts;
    // A header that is damaged cannot say whose frames these are; the first of them does.
    header_.salts = first.salts();
    return is_emptied ||
           first.bytes.substr(0, kFrameHeaderBytes) == std::string(kFrameHeaderBytes, '\0');
  }

  void look(LogFrame frame, uint64_t at) {
    const auto computed = [&](const std::optional<Sum>& before) {
      return before ? std::optional(frame.sum_after(*before, header_.big)) : std::nullopt;
    };
    const std::optional<Sum> sum = computed(before_);
    bool joins = sum == frame.sum();
    // One whose own sum was damaged is followed by what it should have been.
    if (!joins) joins = computed(or_before_) == frame.sum();
    const bool has_salts = frame.salts() == header_.salts;
    if (is_whole_ && !(joins && has_salts)) {
      is_whole_ = false;
      found_.damage_at_byte = at;
    }
    const bool ours = joins || has_salts;
    const bool repeats = frame.commits() && frame.page() == commit_page_;  // to fill a sector
    if (is_whole_) ++found_.whole_frames;
    if (joins && commit_page_ && !repeats) ++found_.lost_commits;
    commit_page_.reset();
    if (!is_whole_ && ours && frame.commits()) commit_page_ = frame.page();
    or_before_ = joins ? std::nullopt : sum;
    before_.reset();
    if (ours) before_ = frame.sum();
    foreign_ = ours ? 0 : foreign_ + 1;
  }

  LogReader& log_;
  LogHeader header_;
  LogCheck found_;
  bool is_whole_ = false;                // so far
  std::optional<Sum> before_;            // of the frame before, if it is of this log
  std::optional<Sum> or_before_;         // what it should be, if it is not that
  std::optional<uint32_t> commit_page_;  // of the frame before, if it commits behind the damage
  int foreign_ = 0;                      // frames in a row that are none of this log
};

}  // namespace

Result<LogCheck> check_log(const std::string& database_path) {
  LogReader log(database_path + "-wal");
  const LogCheck found = Check(log).run();
  TRY_STATUS(log.status());
  return found;
}

Status require_sound_log(const std::string& database_path) {
  TRY_ASSIGN(const LogCheck found, check_log(database_path));
  if (found.lost_commits == 0) return {};
  return fail(Code::kCorrupt,
              fmt::format("the log {}-wal is damaged at byte {}: at least {} durable commits stand "
                          "behind it and cannot be read; restore a backup, or see in "
                          "docs/operations.md what it means to go on without them: perdure doctor "
                          "--forget-lost-commits DIR",
                          database_path, found.damage_at_byte, found.lost_commits));
}

Status mark_emptied(const std::string& database_path) {
  const std::string path = database_path + "-wal";
  const int fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
  const bool marked =
      fd >= 0 &&
      pwrite(fd, kEmptied.data(), kEmptied.size(), 0) == static_cast<ssize_t>(kEmptied.size()) &&
      fdatasync(fd) == 0;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (marked) return {};
  return fail(Code::kInternal, fmt::format("cannot write to {}: {}", path, std::strerror(error)));
}

}  // namespace perdure
