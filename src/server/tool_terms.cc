#include "server/tool_terms.h"

#include <fmt/core.h>

#include "journal/read_term.h"

namespace perdure::server {
namespace {

constexpr size_t kCheckMaxBytes = 1000;

}  // namespace

ToolTerms read_terms(ObjectReader& in, bool confined) {
  if (in.has("effect") && in.value("effect")->is_string() &&
      in.value("effect")->get_string() == "probe") {
    in.fail_at("effect", "'probe' is not available in this version; 'once' asks a person instead");
  }
  using enum EffectClass;
  const auto effect = read_term<kRead, kRepeat, kIdempotent, kOnce>(in, "effect", kOnce);
  return read_terms(in, effect, confined);
}

ToolTerms read_terms(ObjectReader& in, EffectClass effect, bool confined) {
  ToolTerms terms;
  Contract& contract = terms.contract;
  contract.effect = effect;
  contract.max_attempts = 5;
  contract.horizon_ms = in.duration_ms("horizon", 0);
  contract.margin_ms = in.duration_ms("margin", 0);
  if (contract.effect == EffectClass::kIdempotent && contract.horizon_ms == 0) {
    in.fail_at("horizon", "is missing: how long does the receiver remember an idempotency key?");
  }
  if (contract.effect != EffectClass::kIdempotent && in.has("horizon")) {
    in.fail_at("horizon", "only an idempotent tool has one");
  }
  const bool irreversible = in.boolean("irreversible", false);
  if (in.has("compensation")) {
    in.fail_at("compensation", "is not available in this version; declare irreversible = true");
  }
  in.value("compensation");
  if (!may_run_again(contract.effect) && !irreversible && !confined) {
    in.fail_at("irreversible", "is missing: a tool that acts says irreversible = true");
  }
  contract.on_doubt = read_term<OnDoubt::kAsk, OnDoubt::kError>(in, "on_doubt", OnDoubt::kAsk);
  const bool asks = contract.effect == EffectClass::kOnce && !confined;
  terms.approval = in.choice("approval", {"never", "always"}, asks ? 1 : 0) == 1 ? Verdict::kAsk
                                                                                 : Verdict::kAllow;
  const bool repeats = may_run_again(contract.effect) || confined;
  contract.repeat_allowed = in.choice("repeat", {"ask", "allow"}, repeats ? 1 : 0) == 1;
  if (const json::array* identity = in.array("identity")) {
    for (const json::value& pointer : *identity) {
      if (!pointer.is_string())
        in.fail_at("identity", "expected JSON Pointers");
      else
        terms.identity.emplace_back(pointer.get_string());
    }
  }
  terms.check = in.string("check", "");
  if (terms.check.size() > kCheckMaxBytes) {
    in.fail_at("check", fmt::format("longer than {} bytes", kCheckMaxBytes));
  }
  return terms;
}

Status read_retry(Contract& contract, const json::value* table, const std::string& where) {
  if (table == nullptr) return {};
  ObjectReader in(*table, where);
  contract.max_attempts =
      static_cast<uint32_t>(in.integer("max_attempts", 1, 1000, contract.max_attempts));
  contract.backoff_ms = in.duration_ms("backoff", contract.backoff_ms);
  contract.backoff_max_ms = in.duration_ms("backoff_max", contract.backoff_max_ms);
  return in.finish();
}

}  // namespace perdure::server
