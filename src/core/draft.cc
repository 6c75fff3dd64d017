#include "core/draft.h"

#include <algorithm>

#include "base/assert.h"
#include "base/hooks.h"
#include "core/evolve.h"

namespace perdure::core {

Seq Draft::append(RecordBody body) {
  Record& record = applied_.records.emplace_back();
  record.seq = state().head + 1;
  record.at_ms = std::max(now_ms_, state().last_ms);
  record.body = std::move(body);
  const Status evolved = evolve(task_.state, record);
  PERDURE_ASSERT(evolved.has_value(), evolved ? "" : evolved.error().message.c_str());
  if (hooks::planted(hooks::Bug::kStateOffTheRecord)) ++task_.state.anomalies;
  return record.seq;
}

}  // namespace perdure::core
