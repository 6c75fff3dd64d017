#pragma once
#include "journal/terms.h"

namespace perdure {

// By its owner's word no harm is done if a call of this class runs more than once, or is stopped.
inline bool may_run_again(EffectClass effect) {
  return effect == EffectClass::kRead || effect == EffectClass::kRepeat;
}

}  // namespace perdure
