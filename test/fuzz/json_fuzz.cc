// Any bytes as JSON: what is accepted keeps its meaning when it is written and read again, and
// ObjectReader answers or refuses.
#include <cstdint>

#include "base/assert.h"
#include "base/json.h"
#include "base/text.h"

namespace perdure {
namespace {

void read_members(const json::value& value) {
  ObjectReader in(value, "fuzz");
  (void)in.string("s", "");
  (void)in.integer("i", -100, 100, 0);
  (void)in.number("n", -1e9, 1e9, 0);
  (void)in.boolean("b", false);
  (void)in.duration_ms("d", 0);
  (void)in.choice("c", {"one", "two"}, 0);
  (void)in.object("o");
  (void)in.array("a");
  const bool clean = in.ok();
  const Status done = in.finish();
  PERDURE_ASSERT(clean || !done, "an error is kept");
  PERDURE_ASSERT(done || !done.error().message.empty(), "an error says something");
}

}  // namespace
}  // namespace perdure

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace perdure;
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  const JsonLimits limits{.depth = 16, .size_bytes = 4096, .members = 100};
  const auto value = parse_json(bytes, "fuzz", limits);
  if (!value) return 0;
  PERDURE_ASSERT(size <= limits.size_bytes, "the limit holds");
  PERDURE_ASSERT(is_valid_utf8(bytes), "what is accepted is UTF-8");
  const std::string canonical = to_canonical_json(*value);
  const auto again = parse_json(canonical, "fuzz", {.depth = 16, .size_bytes = 1u << 20});
  PERDURE_ASSERT(again && to_canonical_json(*again) == canonical, "the canonical form is stable");
  (void)find_pointer(*value, bytes);
  read_members(*value);
  return 0;
}
