#pragma once
// Lines of words between the child and what is outside of it.
#include <string>
#include <string_view>
#include <vector>

namespace perdure::crash {

// The first `count` words, and the rest of the line as one more, if there is a rest.
inline std::vector<std::string> words(std::string_view line, size_t count = SIZE_MAX) {
  std::vector<std::string> found;
  while (!line.empty()) {
    const size_t end = found.size() < count ? line.find(' ') : std::string_view::npos;
    found.emplace_back(line.substr(0, end));
    line = end == std::string_view::npos ? std::string_view() : line.substr(end + 1);
  }
  return found;
}

// Bytes in, whole lines out.
class Lines {
 public:
  void add(std::string_view bytes) { buffer_ += bytes; }
  bool next(std::string& line) {
    const size_t end = buffer_.find('\n', from_);
    if (end == std::string::npos) {
      buffer_.erase(0, from_);
      from_ = 0;
      return false;
    }
    line.assign(buffer_, from_, end - from_);
    from_ = end + 1;
    return true;
  }

 private:
  std::string buffer_;
  size_t from_ = 0;
};

}  // namespace perdure::crash
