#include "schema/pattern.h"

#include <fmt/core.h>
#include <re2/re2.h>

namespace perdure::schema {
namespace {

constexpr int64_t kProgramMaxBytes = 1 << 20;
constexpr uint64_t kVisitsPerStep = 100;

RE2::Options options() {
  RE2::Options options(RE2::Quiet);
  options.set_max_mem(kProgramMaxBytes);
  options.set_never_capture(true);
  return options;
}

}  // namespace

struct Pattern::Program {
  explicit Program(const std::string& words) : re2(words, options()) {}
  RE2 re2;
};

Pattern::Pattern(std::unique_ptr<Program> program, std::string text)
    : program_(std::move(program)), text_(std::move(text)) {}
Pattern::Pattern(Pattern&&) noexcept = default;
Pattern& Pattern::operator=(Pattern&&) noexcept = default;
Pattern::~Pattern() = default;

Result<Pattern> Pattern::compile(std::string_view ecma) {
  TRY_ASSIGN(const std::string words, to_re2(ecma));
  auto program = std::make_unique<Program>(words);
  if (!program->re2.ok()) {
    return fail(
        Code::kUnsupported,
        program->re2.error_code() == RE2::ErrorPatternTooLarge
            ? std::string("the pattern is too large once its repetitions are written out")
            : fmt::format("not a pattern that can be matched here: {}", program->re2.error()));
  }
  return Pattern(std::move(program), std::string(ecma));
}

bool Pattern::matches(std::string_view text) const {
  return RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), program_->re2);
}

uint64_t Pattern::cost(std::string_view text) const {
  const auto instructions = static_cast<uint64_t>(program_->re2.ProgramSize());
  return 1 + text.size() * instructions / kVisitsPerStep;
}

}  // namespace perdure::schema
