#pragma once
// What happened in one world: a rolling hash over every event, equal for equal seeds in every
// build; and, if wanted, the last lines or all of them as text.
#include <cstdint>
#include <deque>
#include <functional>
#include <string>
#include <string_view>

namespace perdure::sim {

class Trace {
 public:
  enum class Text : uint8_t { kNone, kLast, kAll };
  explicit Trace(Text text) : text_(text) {}

  // `line` makes the text, and is called only if text is kept. `what` and the numbers are hashed.
  template <class Line>
  void event(int64_t now_us, std::string_view what, uint64_t a, uint64_t b, const Line& line) {
    mix(static_cast<uint64_t>(now_us));
    for (const char c : what) mix_byte(static_cast<uint8_t>(c));
    mix(a);
    mix(b);
    ++events_;
    if (text_ != Text::kNone) keep(now_us, what, line());
  }

  // An event that says nothing by itself.
  void tick(int64_t now_us, std::string_view what) {
    mix(static_cast<uint64_t>(now_us));
    for (const char c : what) mix_byte(static_cast<uint8_t>(c));
    ++events_;
  }

  uint64_t hash() const { return hash_; }
  uint64_t events() const { return events_; }
  const std::deque<std::string>& last() const { return last_; }

 private:
  // FNV-1a, 64 bits: http://www.isthe.com/chongo/tech/comp/fnv/
  void mix_byte(uint8_t byte) { hash_ = (hash_ ^ byte) * 0x100000001b3; }
  void mix(uint64_t number) {
    for (int i = 0; i < 8; ++i) mix_byte(static_cast<uint8_t>(number >> (8 * i)));
  }
  void keep(int64_t now_us, std::string_view what, const std::string& line);

  const Text text_;
  uint64_t hash_ = 0xcbf29ce484222325;
  uint64_t events_ = 0;
  std::deque<std::string> last_;
};

}  // namespace perdure::sim
