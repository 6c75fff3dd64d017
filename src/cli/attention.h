#pragma once
// What a command at a terminal waits for: news from another thread, a line that is typed, ctrl-C.
#include <cstdint>
#include <optional>
#include <string>

namespace perdure::cli {

// One at a time: it takes over SIGINT while it lives. Its `wake` may be called from any thread, the
// rest from the one that made it.
class Attention {
 public:
  Attention();
  ~Attention();
  Attention(const Attention&) = delete;
  Attention& operator=(const Attention&) = delete;

  void wake();
  // Until it is woken, interrupted, or the time has passed; with `typed` also until standard input
  // has something.
  void wait(int64_t timeout_ms, bool typed = false);

  bool is_interrupted() const;
  // A whole line without its end, if one was typed; `closed`: there will be no more.
  std::optional<std::string> line(bool& closed);

 private:
  bool has_input() const;

  std::string typed_;
  bool closed_ = false;
};

}  // namespace perdure::cli
