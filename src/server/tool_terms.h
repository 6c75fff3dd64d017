#pragma once
// What the tables of all kinds of tools say alike.
#include <string>
#include <vector>

#include "base/error.h"
#include "base/json.h"
#include "journal/terms.h"

namespace perdure::server {

// Those that a configuration may name.
inline constexpr EffectClass kEffectClasses[] = {EffectClass::kRead, EffectClass::kRepeat,
                                                 EffectClass::kIdempotent, EffectClass::kOnce};

struct ToolTerms {
  Contract contract;
  Verdict approval = Verdict::kAsk;
  std::vector<std::string> identity;
  std::string check;
};

// effect, horizon, margin, irreversible, on_doubt, approval, repeat, identity, check. `confined`:
// what it does cannot leave its own folder, so that it need not ask and may be wished for again.
ToolTerms read_terms(ObjectReader& in, bool confined);

// The same of a tool whose class is known from elsewhere.
ToolTerms read_terms(ObjectReader& in, EffectClass effect, bool confined);

// The table `retry`, if there is one.
Status read_retry(Contract& contract, const json::value* table, const std::string& where);

}  // namespace perdure::server
