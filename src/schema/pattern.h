#pragma once
// Regular expressions of schemas: ECMA-262 as RE2 can match it, so in time linear in the text. What
// RE2 has no word for (look-around, back-references) is refused when the schema is compiled.
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "base/error.h"

namespace perdure::schema {

// ECMA-262, Unicode mode, in RE2's words. Refuses what cannot be expressed, and says what it is.
Result<std::string> to_re2(std::string_view ecma);

class Pattern {
 public:
  static Result<Pattern> compile(std::string_view ecma);
  Pattern(Pattern&&) noexcept;
  Pattern& operator=(Pattern&&) noexcept;
  ~Pattern();

  // Somewhere in the text: schemas anchor with ^ and $.
  bool matches(std::string_view text) const;
  // Of one match, in steps of the work meter: at worst, each byte visits the whole program.
  uint64_t cost(std::string_view text) const;
  const std::string& text() const { return text_; }

 private:
  struct Program;
  Pattern(std::unique_ptr<Program> program, std::string text);

  std::unique_ptr<Program> program_;
  std::string text_;
};

}  // namespace perdure::schema
