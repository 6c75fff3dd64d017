// A schema and a value, divided by the first line break: both from anybody. There is an answer, and
// it is the same each time.
#include <cstdint>

#include "base/assert.h"
#include "base/text.h"
#include "schema/schema.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace perdure;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const size_t line = bytes.find('\n');
  const auto compiled = JsonSchema::compile(bytes.substr(0, line), "schema");
  if (!compiled) {
    PERDURE_ASSERT(!compiled.error().message.empty(), "an error says something");
    PERDURE_ASSERT(compiled.error().message.size() < 4000, "an error is bounded");
    return 0;
  }
  const std::string_view text = line == std::string_view::npos ? "" : bytes.substr(line + 1);
  const auto value = parse_json(text, "value");
  if (!value) return 0;
  const auto problems = compiled->check(*value);
  const auto again = compiled->check(*value);
  PERDURE_ASSERT(problems.has_value() == again.has_value(), "equal checks end alike");
  if (!problems) return 0;
  PERDURE_ASSERT(problems->size() <= JsonSchema::kProblemsMax, "the problems are bounded");
  const std::string words = in_words(*problems, "the value");
  PERDURE_ASSERT(words == in_words(*again, "the value"), "equal checks say the same");
  PERDURE_ASSERT(words.size() < 2000 * JsonSchema::kProblemsMax, "the words are bounded");
  PERDURE_ASSERT(is_valid_utf8(words), "the words are text");
  return 0;
}
