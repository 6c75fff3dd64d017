#include "journal/terms.h"

#include <gtest/gtest.h>

namespace perdure {
namespace {

// What may be sent twice is decided by these two words alone.
TEST(EffectClass, SaysWhatMayHappenTwice) {
  const struct {
    EffectClass effect;
    bool runs_again, is_resent;
  } table[] = {{EffectClass::kRead, true, true},
               {EffectClass::kRepeat, true, true},
               {EffectClass::kIdempotent, false, true},
               {EffectClass::kProbe, false, false},
               {EffectClass::kOnce, false, false}};
  EXPECT_EQ(std::size(table), static_cast<size_t>(last_of(EffectClass{})) + 1);
  for (const auto& row : table) {
    EXPECT_EQ(may_run_again(row.effect), row.runs_again) << to_string(row.effect);
    EXPECT_EQ(may_be_resent(row.effect), row.is_resent) << to_string(row.effect);
  }
}

}  // namespace
}  // namespace perdure
